//! Lists, which the service tells in pages.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use ureq::http::Method;

use crate::exchange::Request;
use crate::{Client, Error};

/// A part of a list.
#[derive(Deserialize)]
pub(crate) struct Page<T> {
    #[serde(
        alias = "handles",
        alias = "meters",
        alias = "panels",
        alias = "tenants",
        alias = "api_keys",
        alias = "jobs",
        alias = "receipts"
    )]
    pub(crate) entries: Vec<T>,
    /// After what the next page begins.
    #[serde(default)]
    next: Option<String>,
}

impl Client {
    /// All entries of the list at `path`, which has a query, in ascending order. `is_name` tells what a page may begin after.
    pub(crate) fn list<T: DeserializeOwned>(&self, path: &str, is_name: fn(&str) -> bool) -> Result<Vec<T>, Error> {
        self.pages(path, is_name, false)
    }

    /// The same of a list whose pages may be empty before its end.
    pub(crate) fn list_sparse<T: DeserializeOwned>(
        &self,
        path: &str,
        is_name: fn(&str) -> bool,
    ) -> Result<Vec<T>, Error> {
        self.pages(path, is_name, true)
    }

    fn pages<T: DeserializeOwned>(&self, path: &str, is_name: fn(&str) -> bool, sparse: bool) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let more = after.as_ref().map_or_else(String::new, |after| format!("&after={after}"));
            let page: Page<T> = self.json(&Request::new(Method::GET, format!("{path}{more}")))?;
            let empty = page.entries.is_empty() && !sparse;
            all.extend(page.entries);
            match page.next {
                // A page that leads nowhere would be asked for forever.
                Some(next) if empty || after.as_ref().is_some_and(|after| next <= *after) || !is_name(&next) => {
                    return Err(self.unexpected("its list does not end"));
                }
                Some(next) => after = Some(next),
                None => return Ok(all),
            }
        }
    }
}
