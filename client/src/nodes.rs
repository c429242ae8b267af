//! The nodes of one service: which of them the next request goes to.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::address::Address;

/// At least one node, and the one that is in use.
pub(crate) struct Nodes {
    first: Address,
    others: Vec<Address>,
    current: AtomicUsize,
}

impl Nodes {
    pub(crate) const fn new(first: Address, others: Vec<Address>) -> Self {
        Self { first, others, current: AtomicUsize::new(0) }
    }

    pub(crate) const fn count(&self) -> usize {
        1 + self.others.len()
    }

    /// The number of the node in use and its address.
    pub(crate) fn current(&self) -> (usize, &str) {
        let number = self.current.load(Ordering::Relaxed);
        let address = number.checked_sub(1).and_then(|number| self.others.get(number));
        (number, address.unwrap_or(&self.first).as_str())
    }

    /// Turns from this node to the next one, unless another thread has done so.
    pub(crate) fn leave(&self, number: usize) {
        let next = (number + 1) % self.count();
        // Whoever was faster has already chosen.
        let _ = self.current.compare_exchange(number, next, Ordering::Relaxed, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_that_fail_together_turn_once() {
        let address = |port: u16| Address::parse(&format!("http://127.0.0.1:{port}"), false).unwrap();
        let nodes = Nodes::new(address(1), vec![address(2), address(3)]);
        let (first, _) = nodes.current();
        nodes.leave(first);
        nodes.leave(first);
        assert_eq!(nodes.current(), (1, "http://127.0.0.1:2"));
        nodes.leave(1);
        nodes.leave(2);
        assert_eq!(nodes.current(), (0, "http://127.0.0.1:1"));
    }
}
