//! Listeners by name: parsing `listeners` and `advertised.listeners`, and which of them this broker opens. Called by `Config::check`.

use std::net::IpAddr;

use super::ConfigError;
use super::broker_options::Options;

/// One address to listen on, and the one clients are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    pub name: String,
    /// Empty: every address of the machine.
    pub host: String,
    pub port: u16,
    pub advertised_host: String,
    /// 0: the port that was bound (for tests, which listen on port 0).
    pub advertised_port: u16,
}

/// The client listeners of `options`; a KRaft controller's are left closed.
pub fn listeners(options: &Options) -> Result<Vec<Listener>, ConfigError> {
    let advertised = options
        .advertised_listeners
        .iter()
        .map(|text| parse("advertised.listeners", text))
        .collect::<Result<Vec<_>, _>>()?;
    let mut found: Vec<Listener> = Vec::new();
    for text in &options.listeners {
        let (name, mut host, port) = parse("listeners", text)?;
        if options.controller_listener_names.contains(&name) {
            continue;
        }
        require_plaintext(options, &name, text)?;
        if found.iter().any(|other| other.name == name) {
            return Err(ConfigError::new(
                "listeners",
                text,
                "each listener needs a name of its own",
            ));
        }
        if is_unspecified(&host) {
            // No client can connect to that: it is told the machine's name.
            host.clear();
        }
        let told = advertised.iter().find(|(other, _, _)| *other == name);
        let (advertised_host, advertised_port) = match told {
            Some((_, host, port)) => (host.clone(), *port),
            None => (host.clone(), port),
        };
        found.push(Listener {
            name,
            host,
            port,
            advertised_host,
            advertised_port,
        });
    }
    check_advertised(options, &advertised, &found)?;
    if found.is_empty() {
        let given = options.listeners.join(",");
        return Err(ConfigError::new(
            "listeners",
            &given,
            "name one address for clients, such as PLAINTEXT://127.0.0.1:9092",
        ));
    }
    Ok(found)
}

fn is_unspecified(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok_and(|ip| ip.is_unspecified())
}

/// What clients are told must lead somewhere, and belong to a listener.
fn check_advertised(
    options: &Options,
    advertised: &[(String, String, u16)],
    listeners: &[Listener],
) -> Result<(), ConfigError> {
    let refuse = |(name, host, port): &(String, String, u16), advice| {
        let given = format!("{name}://{host}:{port}");
        Err(ConfigError::new("advertised.listeners", &given, advice))
    };
    for told in advertised {
        let (name, host, _) = told;
        let is_known = listeners.iter().any(|listener| listener.name == *name)
            || options.controller_listener_names.contains(name);
        if !is_known {
            return refuse(told, "`listeners` has no listener of that name");
        }
        if is_unspecified(host) {
            let advice = "name the host or address under which clients reach this machine";
            return refuse(told, advice);
        }
    }
    Ok(())
}

/// A name maps to its protocol by the map, else it is one itself.
fn require_plaintext(options: &Options, name: &str, listener: &str) -> Result<(), ConfigError> {
    let mapped = options
        .listener_security_protocol_map
        .iter()
        .filter_map(|pair| pair.split_once(':'))
        .find(|(listener, _)| *listener == name);
    let advice = "only PLAINTEXT is served; map the listener to it, or leave the listener out";
    let error = match mapped {
        Some((_, "PLAINTEXT")) => return Ok(()),
        Some((_, other)) => {
            let given = format!("{name}:{other}");
            ConfigError::new("listener.security.protocol.map", &given, advice)
        }
        None if name == "PLAINTEXT" => return Ok(()),
        None => ConfigError::new("listeners", listener, advice),
    };
    Err(error)
}

fn parse(option: &'static str, text: &str) -> Result<(String, String, u16), ConfigError> {
    let wrong = || {
        ConfigError::new(
            option,
            text,
            "expected NAME://HOST:PORT, such as PLAINTEXT://127.0.0.1:9092",
        )
    };
    let (name, address) = text.split_once("://").ok_or_else(wrong)?;
    let (host, port) = address.rsplit_once(':').ok_or_else(wrong)?;
    let port = port.parse().map_err(|_| wrong())?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if name.is_empty() {
        return Err(wrong());
    }
    Ok((name.to_owned(), host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(
        listeners: &[&str],
        advertised: &[&str],
        controllers: &[&str],
        map: &[&str],
    ) -> Options {
        let list = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect();
        Options {
            listeners: list(listeners),
            advertised_listeners: list(advertised),
            controller_listener_names: list(controllers),
            listener_security_protocol_map: list(map),
            ..Options::default()
        }
    }

    #[test]
    fn a_stock_kraft_file_opens_the_client_listener_alone() {
        let options = options(
            &["PLAINTEXT://:9092", "CONTROLLER://:9093"],
            &["PLAINTEXT://localhost:9092", "CONTROLLER://localhost:9093"],
            &["CONTROLLER"],
            &["CONTROLLER:PLAINTEXT", "PLAINTEXT:PLAINTEXT", "SSL:SSL"],
        );
        let found = listeners(&options).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].host.as_str(), found[0].port), ("", 9092));
        assert_eq!(found[0].advertised_host, "localhost");
    }

    #[test]
    fn clients_are_told_an_address_that_leads_somewhere() {
        for host in ["0.0.0.0", "[::]", ""] {
            let given = format!("PLAINTEXT://{host}:9092");
            let found = listeners(&options(&[&given], &[], &[], &[])).unwrap();
            assert_eq!((&*found[0].host, &*found[0].advertised_host), ("", ""));
        }
        for (told, expected) in [
            ("PLAINTEXT://0.0.0.0:9092", "clients reach this machine"),
            ("PLAINTEXT://[::]:9092", "clients reach this machine"),
            ("OUTSIDE://box:9092", "no listener of that name"),
        ] {
            let given = options(&["PLAINTEXT://:9092"], &[told], &[], &[]);
            let error = listeners(&given).unwrap_err().to_string();
            assert!(error.contains(expected), "{told}: {error}");
        }
    }

    #[test]
    fn refuses_what_it_cannot_serve() {
        for (given, map, expected) in [
            (vec!["SSL://:9092"], vec![], "only PLAINTEXT"),
            (
                vec!["INSIDE://:9092"],
                vec!["INSIDE:SASL_SSL"],
                "only PLAINTEXT",
            ),
            (vec!["PLAINTEXT://:99999"], vec![], "NAME://HOST:PORT"),
            (vec!["localhost:9092"], vec![], "NAME://HOST:PORT"),
            (vec![], vec![], "name one address"),
            (
                vec!["PLAINTEXT://:1", "PLAINTEXT://:2"],
                vec![],
                "name of its own",
            ),
        ] {
            let error = listeners(&options(&given, &[], &[], &map))
                .unwrap_err()
                .to_string();
            assert!(error.contains(expected), "{given:?}: {error}");
        }
        assert_eq!(
            listeners(&options(
                &["INSIDE://[::1]:9"],
                &[],
                &[],
                &["INSIDE:PLAINTEXT"]
            ))
            .unwrap()[0]
                .host,
            "::1"
        );
    }
}
