//! How much a tenant computes: so much a minute, so many requests at the same time. Each service counts for itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::access::Caller;
use crate::error::{ApiError, Limit};
use crate::id::TenantId;

const MINUTE: Duration = Duration::from_mins(1);

/// What a tenant may compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// Computation in any minute; `None` for as much as there is.
    pub(crate) compute_per_minute: Option<Duration>,
    /// Requests that wait or compute at the same time; `None` for as many as there are places.
    pub(crate) concurrent: Option<usize>,
}

struct Balance {
    /// Seconds of computation that are left, at most a minute's allowance; below zero after a computation that took longer.
    left: f64,
    since: Instant,
    running: usize,
}

/// The account of one tenant.
pub(crate) struct Account(Mutex<Balance>);

/// A request that is on a tenant's account until it is dropped.
pub(crate) struct Entry(Arc<Account>);

impl Drop for Entry {
    fn drop(&mut self) {
        self.0.change(|balance| balance.running = balance.running.saturating_sub(1));
    }
}

impl Entry {
    /// Takes the time of a computation off the account.
    pub(crate) fn spend(&self, time: Duration) {
        self.0.change(|balance| balance.left -= time.as_secs_f64());
    }
}

impl Account {
    fn change<T>(&self, change: impl FnOnce(&mut Balance) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn enter(self: Arc<Self>, allowance: Allowance) -> Result<Entry, ApiError> {
        let now = Instant::now();
        self.change(|balance| {
            if let Some(most) = allowance.compute_per_minute {
                let rate = most.as_secs_f64() / MINUTE.as_secs_f64();
                let earned = rate * now.duration_since(balance.since).as_secs_f64();
                balance.left = (balance.left + earned).min(most.as_secs_f64());
                balance.since = now;
                if balance.left <= 0.0 {
                    let wait = if rate > 0.0 { (-balance.left / rate).clamp(1.0, MINUTE.as_secs_f64()) } else { 60.0 };
                    let limit = Limit::Compute { millis: most.as_millis().try_into().unwrap_or(u64::MAX) };
                    return Err(ApiError::Throttled { limit, seconds: wait.ceil() as u32 });
                }
            }
            if let Some(most) = allowance.concurrent.filter(|&most| balance.running >= most) {
                return Err(ApiError::Throttled { limit: Limit::Concurrent { most }, seconds: 1 });
            }
            balance.running += 1;
            Ok(())
        })?;
        Ok(Entry(self))
    }
}

/// The accounts of all tenants that asked for something.
#[derive(Default)]
pub(crate) struct Accounts(Mutex<HashMap<TenantId, Arc<Account>>>);

impl Accounts {
    /// Puts a request on its tenant's account, or refuses it.
    pub(crate) fn enter(&self, caller: &Caller, allowance: Allowance) -> Result<Entry, ApiError> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let account = all.entry(caller.tenant.clone()).or_insert_with(|| {
            let left = allowance.compute_per_minute.map_or(0.0, |most| most.as_secs_f64());
            Arc::new(Account(Mutex::new(Balance { left, since: Instant::now(), running: 0 })))
        });
        let account = Arc::clone(account);
        drop(all);
        account.enter(allowance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::TenantLimits;

    fn caller(name: &str) -> Caller {
        Caller { tenant: TenantId::new(name).unwrap(), limits: TenantLimits::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn who_computed_too_much_waits_until_the_account_is_even() {
        let accounts = Accounts::default();
        let allowance = Allowance { compute_per_minute: Some(Duration::from_secs(6)), concurrent: None };
        let enter = || accounts.enter(&caller("a"), allowance);
        enter().unwrap().spend(Duration::from_secs(7));
        // One second too much, at a tenth of a second a second.
        assert!(matches!(
            enter().err(),
            Some(ApiError::Throttled { limit: Limit::Compute { millis: 6000 }, seconds: 10 })
        ));
        accounts.enter(&caller("b"), allowance).unwrap();
        tokio::time::advance(Duration::from_secs(9)).await;
        assert!(matches!(enter().err(), Some(ApiError::Throttled { seconds: 1, .. })));
        tokio::time::advance(Duration::from_secs(2)).await;
        enter().unwrap();
        // However long nobody computes, no more than a minute's allowance is saved.
        tokio::time::advance(Duration::from_hours(1)).await;
        enter().unwrap().spend(Duration::from_secs(6));
        assert!(enter().is_err());
    }

    #[test]
    fn so_many_at_the_same_time_and_no_more() {
        let accounts = Accounts::default();
        let allowance = Allowance { compute_per_minute: None, concurrent: Some(2) };
        let enter = || accounts.enter(&caller("a"), allowance);
        let (first, _second) = (enter().unwrap(), enter().unwrap());
        assert!(matches!(
            enter().err(),
            Some(ApiError::Throttled { limit: Limit::Concurrent { most: 2 }, seconds: 1 })
        ));
        drop(first);
        enter().unwrap();
    }
}
