//! The protocol's definitions, read at run time from where the broker's own codec is generated from. Used by `codec`, which shares no
//! code with that codec: an error in the generated one is a difference like any other.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};

#[path = "../../../crates/xtask/src/definition.rs"]
#[expect(
    dead_code,
    reason = "read the way the generator reads it; what only the generator needs is not used here"
)]
mod definition;

pub(crate) use definition::Versions;
pub(crate) use definition::{Field, Type};
use definition::{Message, Page, Role};

/// Where the definitions lie, seen from this package.
const FOLDER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../crates/protocol/definitions"
);

/// An API of the protocol.
pub struct Api {
    pub key: i16,
    pub name: String,
    pub first: i16,
    pub last: i16,
    flexible: Option<i16>,
    request: Message,
    response: Message,
}

impl Api {
    pub fn is_flexible(&self, version: i16) -> bool {
        self.flexible.is_some_and(|first| version >= first)
    }

    pub(crate) fn request(&self) -> Shape<'_> {
        Shape::of(&self.request)
    }

    pub(crate) fn response(&self) -> Shape<'_> {
        Shape::of(&self.response)
    }
}

/// A struct of a message, and the message to find its inner structs in.
#[derive(Clone, Copy)]
pub(crate) struct Shape<'a> {
    message: &'a Message,
    pub(crate) fields: &'a [Field],
}

impl<'a> Shape<'a> {
    fn of(message: &'a Message) -> Self {
        Self {
            message,
            fields: &message.structs[0].fields,
        }
    }

    pub(crate) fn inner(self, name: &str) -> Result<Self> {
        let found = self.message.structs.iter().find(|one| one.name == name);
        let found = found.with_context(|| format!("no struct {name}"))?;
        Ok(Self {
            message: self.message,
            fields: &found.fields,
        })
    }
}

/// An API by its name.
pub fn api(name: &str) -> Result<&'static Api> {
    static APIS: OnceLock<BTreeMap<String, Api>> = OnceLock::new();
    if APIS.get().is_none() {
        // Two threads may both read; the first to finish is kept.
        let _ = APIS.set(read_all()?);
    }
    let found = APIS.get().and_then(|apis| apis.get(name));
    found.with_context(|| format!("no API is named {name}"))
}

fn read_all() -> Result<BTreeMap<String, Api>> {
    let mut apis = BTreeMap::new();
    for entry in fs::read_dir(FOLDER).with_context(|| FOLDER.to_owned())? {
        let path = entry?.path();
        let page = read_page(&path).with_context(|| path.display().to_string())?;
        if let Some(api) = into_api(page)? {
            apis.insert(api.name.clone(), api);
        }
    }
    Ok(apis)
}

fn read_page(path: &Path) -> Result<Page> {
    match definition::read(&fs::read_to_string(path)?) {
        Ok(page) => Ok(page),
        Err(error) => bail!("{error:?}"),
    }
}

/// None of a page that holds data alone.
fn into_api(page: Page) -> Result<Option<Api>> {
    let Some((key, name)) = page.api else {
        return Ok(None);
    };
    let mut request = None;
    let mut response = None;
    for message in page.messages {
        match message.role {
            Role::Request => request = Some(message),
            Role::Response => response = Some(message),
            Role::Data => {}
        }
    }
    let request = request.context("no request")?;
    Ok(Some(Api {
        key,
        name,
        first: request.versions.first,
        last: page.stable.unwrap_or(request.versions.last),
        flexible: request.flexible,
        response: response.context("no response")?,
        request,
    }))
}
