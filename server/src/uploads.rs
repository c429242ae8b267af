//! The memory for bodies that are being received and for those that wait, and when those shall come again for whom there is none.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::error::{BodyError, RETRY_AFTER_SECONDS};

const KIBIBYTE: usize = 1 << 10;

/// Latest appointment: by then everything may be different.
const LATEST: Duration = Duration::from_secs(30);

/// Memory that is set aside for a body. To be kept as long as the body is: one that waits for a thread takes as much as one that is being received.
pub(crate) struct Memory {
    _permit: Option<OwnedSemaphorePermit>,
    appointments: Option<Arc<Mutex<Appointments>>>,
    kibibytes: usize,
    /// How many there are.
    all: usize,
    since: Instant,
}

/// All of that memory.
pub(crate) struct Uploads {
    kibibytes: Arc<Semaphore>,
    limit: usize,
    appointments: Arc<Mutex<Appointments>>,
}

/// Who is turned away comes back when it is its turn, and not in crowds that are turned away again: appointments are given at the pace at which memory becomes free when all of it is in use, which is all of
/// it in the time for which a body has it.
#[derive(Default)]
struct Appointments {
    /// Kibibytes that became free, and those times the seconds for which they were in use. Earlier ones weigh less.
    freed: f64,
    used: f64,
    next: Option<Instant>,
}

impl Appointments {
    /// So many kibibytes of `all` became free after so long.
    fn free(&mut self, kibibytes: usize, all: usize, time: Duration) {
        let kibibytes = kibibytes as f64;
        // What became free fades while as much as there is becomes free again.
        let fading = (-kibibytes / all.max(1) as f64).exp();
        self.freed = self.freed * fading + kibibytes;
        self.used = self.used * fading + kibibytes * time.as_secs_f64();
    }

    /// Seconds until the appointment of a body of so many kibibytes, where there are `all`.
    fn make(&mut self, kibibytes: u32, all: usize, now: Instant) -> u32 {
        let earliest = now + Duration::from_secs(RETRY_AFTER_SECONDS.into());
        let at = self.next.map_or(earliest, |next| next.clamp(earliest, now + LATEST));
        let time = if self.freed > 0.0 { self.used / self.freed } else { 0.0 };
        let takes = time * f64::from(kibibytes) / all.max(1) as f64;
        self.next = Some(at + Duration::from_secs_f64(takes.min(LATEST.as_secs_f64())));
        (at - now).as_secs_f64().round() as u32
    }
}

impl Uploads {
    pub(crate) fn new(limit: usize) -> Self {
        let kibibytes = Arc::new(Semaphore::new((limit / KIBIBYTE).min(Semaphore::MAX_PERMITS)));
        Self { kibibytes, limit, appointments: Arc::default() }
    }

    /// Bytes that are set aside now.
    pub(crate) fn set_aside(&self) -> usize {
        (self.limit / KIBIBYTE).saturating_sub(self.kibibytes.available_permits()).saturating_mul(KIBIBYTE)
    }

    /// Memory for a body until the permit is dropped; refused at once where there is not enough of it. Bodies of less than a kibibyte are in the buffers of their connections already.
    pub(crate) fn admit(&self, bytes: usize) -> Result<Memory, BodyError> {
        let Ok(needed @ 1..) = u32::try_from(bytes / KIBIBYTE) else {
            return Ok(Memory { _permit: None, appointments: None, kibibytes: 0, all: 0, since: Instant::now() });
        };
        let all = self.limit / KIBIBYTE;
        let permit = Arc::clone(&self.kibibytes).try_acquire_many_owned(needed).map_err(|_| {
            let seconds = lock(&self.appointments).make(needed, all, Instant::now());
            BodyError::NoMemory { limit: self.limit, seconds }
        })?;
        let appointments = Some(Arc::clone(&self.appointments));
        Ok(Memory { _permit: Some(permit), appointments, kibibytes: needed as usize, all, since: Instant::now() })
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if let Some(appointments) = &self.appointments {
            lock(appointments).free(self.kibibytes, self.all, self.since.elapsed());
        }
    }
}

fn lock(appointments: &Mutex<Appointments>) -> MutexGuard<'_, Appointments> {
    appointments.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(uploads: &Uploads, kibibytes: usize) -> u32 {
        match uploads.admit(kibibytes * KIBIBYTE) {
            Err(BodyError::NoMemory { seconds, .. }) => seconds,
            _ => panic!("there was room for it"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn appointments_are_given_at_the_pace_at_which_memory_becomes_free() {
        let uploads = Uploads::new(100 * KIBIBYTE);
        assert_eq!([refused(&uploads, 101), refused(&uploads, 101)], [1, 1], "nothing is known yet");
        // Bodies have their memory for a second, so a hundred kibibytes a second become free when all of it is in use, however little was in use so far.
        for _ in 0..20 {
            let memory = uploads.admit(10 * KIBIBYTE).unwrap();
            tokio::time::advance(Duration::from_secs(1)).await;
            drop(memory);
        }
        let _all = uploads.admit(100 * KIBIBYTE).unwrap();
        assert_eq!(uploads.set_aside(), 100 * KIBIBYTE);
        let seconds: Vec<u32> = (0..50).map(|_| refused(&uploads, 100)).collect();
        assert_eq!(seconds[..4], [1, 2, 3, 4]);
        assert!(seconds.is_sorted() && seconds[49] == 30, "{seconds:?}");
        // Nobody is told to wait for those who did not come back.
        tokio::time::advance(LATEST).await;
        assert!(refused(&uploads, 10) <= 2);
        assert!(uploads.admit(KIBIBYTE - 1).is_ok());
    }
}
