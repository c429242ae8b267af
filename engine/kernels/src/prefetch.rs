//! Memory that will be read soon.

/// Residues that the CPU may bring closer while a transform is computed: a hint, without any effect on results.
///
/// The rows of a key are used once in an operation and come from the outermost cache, which is as slow as the products with
/// them; meanwhile a transform uses no memory.
#[derive(Debug, Default)]
pub struct Prefetch<'a> {
    current: &'a [u64],
    queue: std::vec::IntoIter<&'a [u64]>,
}

impl<'a> Prefetch<'a> {
    /// These slices, one after the other.
    pub fn new(slices: Vec<&'a [u64]>) -> Self {
        Self { current: &[], queue: slices.into_iter() }
    }

    /// Nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// The next two cache lines; what is left of a slice at its end is passed over.
    #[inline]
    pub(crate) fn next_lines(&mut self) -> Option<&'a [u64; 16]> {
        if let Some((lines, rest)) = self.current.split_first_chunk() {
            self.current = rest;
            return Some(lines);
        }
        self.current = self.queue.next().unwrap_or_default();
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_whole_pair_of_lines_is_named_once_in_order() {
        let (first, second, third) = ([1; 32], [2; 17], [3; 7]);
        let mut ahead = Prefetch::new(vec![&first, &second, &third]);
        let named: Vec<u64> = (0..20).filter_map(|_| ahead.next_lines()).map(|lines| lines[15]).collect();
        assert_eq!(named, [1, 1, 2]);
        assert!(Prefetch::none().next_lines().is_none());
    }
}
