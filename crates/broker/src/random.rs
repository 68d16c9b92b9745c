//! The door to randomness: topic ids, member ids, salts. A simulation seeds it; production takes the seed from the system.

use std::fmt;

use parking_lot::Mutex;
use protocol::Uuid;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

pub struct Random {
    generator: Mutex<StdRng>,
}

impl Random {
    pub fn from_system() -> Self {
        Self {
            generator: Mutex::new(StdRng::from_os_rng()),
        }
    }

    pub fn from_seed(seed: u64) -> Self {
        Self {
            generator: Mutex::new(StdRng::seed_from_u64(seed)),
        }
    }

    pub fn bytes(&self) -> [u8; 16] {
        self.generator.lock().random()
    }

    /// A version 4 UUID (RFC 9562). Kafka keeps ids from starting with '-', so that tools do not take one for an option.
    pub fn uuid(&self) -> Uuid {
        loop {
            let mut bytes = self.bytes();
            bytes[6] = bytes[6] & 0x0f | 0x40;
            bytes[8] = bytes[8] & 0x3f | 0x80;
            let id = Uuid::from_bytes(bytes);
            if !id.to_string().starts_with('-') {
                return id;
            }
        }
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}
