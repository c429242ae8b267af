//! Buffers of residues on cache-line boundaries, kept for reuse by the thread that made them.
//!
//! A homomorphic product makes and drops some tens of buffers of hundreds of KiB. Taken from the system allocator, each would be returned
//! to the operating system and faulted in again, page by page, which takes longer than the arithmetic; and a vector instruction on
//! a `Vec<u64>` crosses a cache line three times out of four.

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// One cache line of residues.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u64; 8]);

/// How much each shelf keeps; beyond it, what has lain longest goes back to the allocator.
const KEPT_BYTES: usize = 32 << 20;

/// More shelves than threads usually are, so that a lock is hardly ever waited for.
const SHELVES: usize = 64;

/// Free buffers, the one dropped last at the back. Few different sizes occur in a process, so the list is searched.
struct Shelf {
    free: VecDeque<Vec<Line>>,
    bytes: usize,
}

/// A buffer goes back to the shelf of the thread that made it, whoever drops it: results are often made by one thread and dropped by another.
static POOL: [Mutex<Shelf>; SHELVES] = [const { Mutex::new(Shelf { free: VecDeque::new(), bytes: 0 }) }; SHELVES];

thread_local! {
    static SHELF: usize = {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        THREADS.fetch_add(1, Ordering::Relaxed) % SHELVES
    };
}

impl Shelf {
    fn take(&mut self, count: usize) -> Option<Vec<Line>> {
        let position = self.free.iter().rposition(|lines| lines.len() == count)?;
        self.bytes -= size_of::<Line>() * count;
        self.free.remove(position)
    }

    fn put(&mut self, lines: Vec<Line>) {
        self.bytes += size_of::<Line>() * lines.len();
        self.free.push_back(lines);
        while self.bytes > KEPT_BYTES {
            let Some(oldest) = self.free.pop_front() else { break };
            self.bytes -= size_of::<Line>() * oldest.len();
        }
    }
}

/// A fixed number of residues, aligned to 64 bytes.
///
/// A dropped buffer is reused with its contents: whoever holds a secret in one wipes it before dropping it.
pub struct Buffer {
    lines: Vec<Line>,
    len: usize,
    shelf: usize,
}

impl Buffer {
    /// A buffer of zeros.
    pub fn zeroed(len: usize) -> Self {
        let mut buffer = Self::stale(len);
        buffer.fill(0);
        buffer
    }

    /// A buffer with whatever an earlier one held, for outputs that are overwritten as a whole.
    pub fn stale(len: usize) -> Self {
        let count = len.div_ceil(8);
        let shelf = SHELF.try_with(|shelf| *shelf).unwrap_or(0);
        let reused = POOL[shelf].lock().unwrap_or_else(PoisonError::into_inner).take(count);
        Self { lines: reused.unwrap_or_else(|| vec![Line([0; 8]); count]), len, shelf }
    }

    /// A buffer with these residues.
    pub fn from_slice(values: &[u64]) -> Self {
        let mut buffer = Self::stale(values.len());
        buffer.copy_from_slice(values);
        buffer
    }
}

impl Deref for Buffer {
    type Target = [u64];

    #[inline]
    #[expect(unsafe_code, reason = "a cast from lines to the residues they consist of")]
    fn deref(&self) -> &[u64] {
        // SAFETY: `lines` holds `lines.len() * 8 >= len` initialised u64 without padding (repr(C), size 64), and its pointer is aligned
        // to 64 bytes (or dangling and aligned for `len` 0); the borrow of `self` covers the slice's life.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl DerefMut for Buffer {
    #[inline]
    #[expect(unsafe_code, reason = "a cast from lines to the residues they consist of")]
    fn deref_mut(&mut self) -> &mut [u64] {
        // SAFETY: as in `deref`, and the mutable borrow of `self` makes the slice unique.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

impl Clone for Buffer {
    fn clone(&self) -> Self {
        Self::from_slice(self)
    }
}

impl std::fmt::Debug for Buffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Buffer({} residues)", self.len)
    }
}

impl PartialEq for Buffer {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Buffer {}

impl Drop for Buffer {
    fn drop(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        if !lines.is_empty() {
            POOL[self.shelf].lock().unwrap_or_else(PoisonError::into_inner).put(lines);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_aligned_and_hold_their_length() {
        for len in [0, 1, 7, 8, 9, 2048, 5 * 8192 + 3] {
            let buffer = Buffer::zeroed(len);
            assert_eq!(buffer.len(), len);
            assert_eq!(buffer.as_ptr() as usize % 64, 0);
            assert!(buffer.iter().all(|&x| x == 0));
        }
    }

    #[test]
    fn a_dropped_buffer_is_used_again_and_zeroed_where_asked() {
        let len = 4096 + 8 * 77;
        let mut first = Buffer::zeroed(len);
        first.fill(7);
        let address = first.as_ptr();
        drop(first);
        let second = Buffer::stale(len);
        assert_eq!(second.as_ptr(), address);
        drop(second);
        let third = Buffer::zeroed(len);
        assert_eq!(third.as_ptr(), address);
        assert!(third.iter().all(|&x| x == 0));
    }

    #[test]
    fn a_buffer_dropped_elsewhere_comes_back_to_its_thread() {
        let len = 4096 + 8 * 79;
        let buffer = Buffer::zeroed(len);
        let address = buffer.as_ptr() as usize;
        std::thread::spawn(move || drop(buffer)).join().unwrap();
        assert_eq!(Buffer::stale(len).as_ptr() as usize, address);
    }

    #[test]
    fn a_shelf_keeps_a_bounded_amount_and_prefers_what_is_new() {
        let mut shelf = Shelf { free: VecDeque::new(), bytes: 0 };
        let lines = KEPT_BYTES / size_of::<Line>() / 4;
        for extra in 0..8 {
            shelf.put(vec![Line([0; 8]); lines - extra]);
        }
        assert!(shelf.bytes <= KEPT_BYTES && shelf.bytes > KEPT_BYTES / 2);
        assert!(shelf.take(lines).is_none());
        assert!(shelf.take(lines - 7).is_some());
    }
}
