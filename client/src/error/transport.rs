//! What the HTTP and TLS libraries say, in the terms of this crate.

use std::time::Duration;

use super::{Error, one_line};

impl Error {
    /// What ureq says while the request is sent and the answer's head is awaited.
    pub(crate) fn sending(url: &str, limit: Duration, error: &ureq::Error) -> Self {
        let url = url.to_owned();
        match error {
            ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
                Self::Unreachable { url, reason: "no connection in time".to_owned() }
            }
            ureq::Error::Timeout(_) => Self::Timeout { url, limit },
            ureq::Error::Rustls(error) => Self::Tls { url, reason: refusal(error) },
            ureq::Error::Tls(reason) => Self::Tls { url, reason: (*reason).to_owned() },
            ureq::Error::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                Some(error) => Self::Tls { url, reason: refusal(error) },
                None => Self::Unreachable { url, reason: one_line(&error.to_string()) },
            },
            ureq::Error::Protocol(_) => Self::Broken { url, reason: one_line(&error.to_string()) },
            ureq::Error::Http(_) | ureq::Error::LargeResponseHeader(..) => Self::unexpected(&url, &error.to_string()),
            _ => Self::Unreachable { url, reason: one_line(&error.to_string()) },
        }
    }

    /// What ureq says while the answer's body is read.
    pub(crate) fn receiving(url: &str, limit: Duration, error: &ureq::Error) -> Self {
        match error {
            ureq::Error::Timeout(_) => Self::Timeout { url: url.to_owned(), limit },
            ureq::Error::BodyExceedsLimit(longest) => Self::unexpected(url, &format!("more than {longest} bytes")),
            _ => Self::Broken { url: url.to_owned(), reason: one_line(&error.to_string()) },
        }
    }
}

/// Why TLS failed, as a sentence.
fn refusal(error: &rustls::Error) -> String {
    use rustls::CertificateError as Fault;
    let rustls::Error::InvalidCertificate(fault) = error else {
        return one_line(&error.to_string());
    };
    match fault {
        Fault::UnknownIssuer => "its certificate was issued by nobody who is trusted here".to_owned(),
        Fault::Expired | Fault::ExpiredContext { .. } => "its certificate has expired".to_owned(),
        Fault::NotValidYet | Fault::NotValidYetContext { .. } => "its certificate is not valid yet".to_owned(),
        Fault::NotValidForName | Fault::NotValidForNameContext { .. } => {
            "its certificate is for another name".to_owned()
        }
        Fault::BadSignature => "its certificate was not signed by whom it names".to_owned(),
        Fault::Revoked => "its certificate was revoked".to_owned(),
        other => format!("its certificate is not accepted: {}", one_line(&other.to_string())),
    }
}
