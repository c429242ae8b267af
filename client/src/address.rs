//! Addresses of services: what may be spoken to, and how.

use std::net::IpAddr;

use ureq::http::Uri;

use crate::Error;

/// The address of a node without a slash at its end, such as `https://relay.example/api`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    base: String,
    tls: bool,
}

impl Address {
    /// Reads an address: `http` or `https`, a host, an optional port and path. Without TLS only hosts on this machine are taken, unless `plain_http` allows
    /// others.
    pub(crate) fn parse(url: &str, plain_http: bool) -> Result<Self, Error> {
        let fault = |fault| Error::Url { url: url.to_owned(), fault };
        let base = url.trim().trim_end_matches('/');
        let (scheme, authority) =
            base.split_once("://").ok_or_else(|| fault("it begins with neither http:// nor https://"))?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err(fault("it begins with neither http:// nor https://")),
        };
        if authority.is_empty() || authority.contains(['?', '#', '@']) || authority.contains(char::is_whitespace) {
            return Err(fault("it is not a host with an optional port and path"));
        }
        let base = format!("{}://{authority}", if tls { "https" } else { "http" });
        let uri: Uri = base.parse().map_err(|_| fault("it cannot be parsed"))?;
        if uri.port_u16().is_none() && uri.authority().is_none_or(|authority| authority.as_str() != authority.host()) {
            return Err(fault("its port is not a number up to 65535"));
        }
        if !tls && !plain_http && !uri.host().is_some_and(is_loopback) {
            return Err(Error::PlainHttp { url: url.to_owned() });
        }
        Ok(Self { base, tls })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.base
    }

    pub(crate) const fn is_tls(&self) -> bool {
        self.tls
    }
}

/// Whether a host is this machine by its name or number (RFC 6761, section 6.3).
fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    match host.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_this_machine_and_of_tls_are_taken() {
        for (url, base) in [
            ("http://127.0.0.1:80/", "http://127.0.0.1:80"),
            ("http://127.9.9.9", "http://127.9.9.9"),
            ("http://[::1]:80/relay/", "http://[::1]:80/relay"),
            ("http://[::ffff:127.0.0.1]", "http://[::ffff:127.0.0.1]"),
            ("http://LocalHost:1", "http://LocalHost:1"),
            ("http://a.localhost", "http://a.localhost"),
            (" HTTPS://example.org ", "https://example.org"),
        ] {
            let address = Address::parse(url, false).unwrap();
            assert_eq!((address.as_str(), address.is_tls()), (base, base.starts_with("https")), "{url}");
        }
    }

    #[test]
    fn other_machines_are_not_spoken_to_in_the_clear_unless_asked_for() {
        for url in [
            "http://example.org",
            "http://10.0.0.1",
            "http://localhost.example.org",
            "http://[2001:db8::1]",
            "http://0",
        ] {
            assert!(matches!(Address::parse(url, false), Err(Error::PlainHttp { .. })), "{url}");
            assert!(Address::parse(url, true).is_ok(), "{url}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for url in [
            "",
            "127.0.0.1:80",
            "http://",
            "https:///",
            "ftp://a",
            "http://a b",
            "http://u:p@a",
            "https://a?b",
            "http://a:port",
            "http://a#b",
        ] {
            assert!(matches!(Address::parse(url, true), Err(Error::Url { .. })), "{url}");
        }
    }
}
