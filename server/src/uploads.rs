//! The memory for bodies that are being received and for those that wait, and when those shall come again for whom there is none.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::error::{BodyError, RETRY_AFTER_SECONDS};

const KIBIBYTE: usize = 1 << 10;

/// How far back the pace looks, in seconds.
const WINDOW: f64 = 2.0;

/// Latest appointment: by then everything may be different.
const LATEST: Duration = Duration::from_secs(30);

/// Memory that is set aside for a body. To be kept as long as the body is: one that waits for a thread takes as much as one that is being received.
pub(crate) struct Memory {
    _permit: Option<OwnedSemaphorePermit>,
    appointments: Option<Arc<Mutex<Appointments>>>,
    kibibytes: usize,
}

/// All of that memory.
pub(crate) struct Uploads {
    kibibytes: Arc<Semaphore>,
    limit: usize,
    appointments: Arc<Mutex<Appointments>>,
}

/// Who is turned away comes back when it is its turn, and not in crowds that are turned away again: memory becomes free at a pace, and appointments are given at the same.
#[derive(Default)]
struct Appointments {
    /// Kibibytes that became free, the earlier ones weighing less.
    freed: f64,
    last: Option<Instant>,
    next: Option<Instant>,
}

impl Appointments {
    fn faded(&self, now: Instant) -> f64 {
        let age = self.last.map_or(0.0, |last| now.duration_since(last).as_secs_f64());
        self.freed * (-age / WINDOW).exp()
    }

    fn free(&mut self, kibibytes: usize, now: Instant) {
        self.freed = self.faded(now) + kibibytes as f64;
        self.last = Some(now);
    }

    /// Seconds until the appointment of a body of so many kibibytes.
    fn make(&mut self, kibibytes: u32, now: Instant) -> u32 {
        let earliest = now + Duration::from_secs(RETRY_AFTER_SECONDS.into());
        let at = self.next.map_or(earliest, |next| next.clamp(earliest, now + LATEST));
        let pace = self.faded(now) / WINDOW;
        // Below a kibibyte a second nothing is known.
        let takes = if pace < 1.0 { 0.0 } else { f64::from(kibibytes) / pace };
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
            return Ok(Memory { _permit: None, appointments: None, kibibytes: 0 });
        };
        let permit = Arc::clone(&self.kibibytes).try_acquire_many_owned(needed).map_err(|_| {
            let seconds = lock(&self.appointments).make(needed, Instant::now());
            BodyError::NoMemory { limit: self.limit, seconds }
        })?;
        let appointments = Some(Arc::clone(&self.appointments));
        Ok(Memory { _permit: Some(permit), appointments, kibibytes: needed as usize })
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if let Some(appointments) = &self.appointments {
            lock(appointments).free(self.kibibytes, Instant::now());
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
        tokio::time::advance(LATEST * 2).await;
        // A hundred kibibytes a second become free.
        for _ in 0..200 {
            let memory = uploads.admit(10 * KIBIBYTE).unwrap();
            tokio::time::advance(Duration::from_millis(100)).await;
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
