//! Many receipts under one signature: a binary tree of hashes, and the path from a receipt to its root.
//!
//! The tree is that of RFC 6962, section 2.1: a leaf is `SHA-256(00 ‖ receipt)`, a node `SHA-256(01 ‖ left ‖ right)`. Level by level,
//! neighbours are joined; a last one without a neighbour moves up as it is.

use blindrelay_engine::wire::content_digest;

use super::codec::Reader;
use crate::error::FormatError;

/// Most receipts under one signature.
pub const MAX_BATCH: usize = 1 << 16;

type Hash = [u8; 32];

fn leaf(receipt: &[u8]) -> Hash {
    content_digest(&[&[0], receipt].concat())
}

fn node(left: &Hash, right: &Hash) -> Hash {
    content_digest(&[&[1], left.as_slice(), right].concat())
}

/// The hashes of a batch, leaves first, the root alone in the last level.
pub(crate) struct Tree {
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// The tree over the bytes of at least two receipts.
    pub(crate) fn new<'a>(receipts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut levels = Vec::new();
        let mut level: Vec<Hash> = receipts.into_iter().map(leaf).collect();
        while level.len() > 1 {
            let (pairs, last) = level.as_chunks::<2>();
            let above = pairs.iter().map(|[left, right]| node(left, right)).chain(last.iter().copied()).collect();
            levels.push(std::mem::replace(&mut level, above));
        }
        levels.push(level);
        Self { levels }
    }

    fn size(&self) -> usize {
        self.levels.first().map_or(0, Vec::len)
    }

    /// What the signature covers.
    pub(crate) fn head(&self) -> Vec<u8> {
        let root = self.levels.last().and_then(|level| level.first()).copied().unwrap_or_default();
        head(self.size() as u32, &root)
    }

    /// The place of a receipt.
    pub(crate) fn inclusion(&self, index: usize) -> Inclusion {
        let siblings = self.levels.iter().enumerate().map(|(height, level)| level.get((index >> height) ^ 1).copied());
        Inclusion { size: self.size() as u32, index: index as u32, path: siblings.flatten().collect() }
    }
}

fn head(size: u32, root: &Hash) -> Vec<u8> {
    [size.to_le_bytes().as_slice(), root].concat()
}

/// For each level below the root, whether the node on the way from `index` has a neighbour, and whether that one is to its left.
fn siblings(index: u32, size: u32) -> impl Iterator<Item = bool> {
    let (mut index, mut size) = (index, size);
    std::iter::from_fn(move || {
        while size > 1 {
            let sibling = (index ^ 1 < size).then_some(index & 1 == 1);
            (index, size) = (index >> 1, size.div_ceil(2));
            if sibling.is_some() {
                return sibling;
            }
        }
        None
    })
}

/// Where a receipt stands in its batch, and the hashes beside its way to the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inclusion {
    size: u32,
    index: u32,
    path: Vec<Hash>,
}

impl Inclusion {
    /// How many receipts the signature covers, 2 to [`MAX_BATCH`].
    pub const fn size(&self) -> usize {
        self.size as usize
    }

    /// Which of them this one is, from 0.
    pub const fn index(&self) -> usize {
        self.index as usize
    }

    /// What the signature covers, if the receipt of these bytes is at this place.
    pub(super) fn head(&self, receipt: &[u8]) -> Vec<u8> {
        let hashes = siblings(self.index, self.size).zip(&self.path);
        let root = hashes.fold(
            leaf(receipt),
            |hash, (left, sibling)| {
                if left { node(sibling, &hash) } else { node(&hash, sibling) }
            },
        );
        head(self.size, &root)
    }

    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.size.to_le_bytes());
        bytes.extend_from_slice(&self.index.to_le_bytes());
        bytes.extend(self.path.iter().flatten());
    }

    /// The length of the path follows from size and index.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        let (size, index) = (u32::from_le_bytes(*reader.take()?), u32::from_le_bytes(*reader.take()?));
        if !(2..=MAX_BATCH as u32).contains(&size) || index >= size {
            return Err(FormatError::Place { index, size });
        }
        let path = siblings(index, size).map(|_| reader.take().copied()).collect::<Result<_, _>>()?;
        Ok(Self { size, index, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex::to_hex;

    /// The inputs and roots with which implementations of Certificate Transparency are tested (`merkle_tree_test.cc` of its C++ log).
    #[test]
    fn roots_are_the_published_ones() {
        let inputs: [&[u8]; 8] = [
            &[],
            &[0],
            &[0x10],
            &[0x20, 0x21],
            &[0x30, 0x31],
            &[0x40, 0x41, 0x42, 0x43],
            &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
            &[0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f],
        ];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        for (size, root) in (1..).zip(roots) {
            let tree = Tree::new(inputs[..size].iter().copied());
            assert_eq!(to_hex(&tree.levels.last().unwrap()[0]), root);
        }
    }

    #[test]
    fn every_place_of_small_trees_leads_to_the_root_and_to_no_other() {
        let leaves: Vec<[u8; 1]> = (0..33).map(|byte| [byte]).collect();
        for size in 2..leaves.len() {
            let tree = Tree::new(leaves[..size].iter().map(<[u8; 1]>::as_slice));
            for index in 0..size {
                let inclusion = tree.inclusion(index);
                assert_eq!(inclusion.path.len(), siblings(index as u32, size as u32).count());
                for (other, leaf) in leaves.iter().enumerate() {
                    assert_eq!(inclusion.head(leaf) == tree.head(), other == index);
                }
            }
        }
    }
}
