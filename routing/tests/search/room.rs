//! A room with its key, in a reduced ring or at the named set.

use std::sync::{Arc, LazyLock};

use blindrelay_engine::Backend;
use blindrelay_engine::bfv::{Context, SeededCiphertext};
use blindrelay_engine::operator::{Handle, Snapshot};
use blindrelay_engine::params::{ParameterSpec, Parameters, SEARCH_8192, SecurityPolicy, preset};
use blindrelay_engine::ring::Seed;
use blindrelay_engine::wire::{Wire, content_digest};
use blindrelay_keyholder::{Expectation, SecretKey, hazmat};
use blindrelay_routing::search::{
    Keyword, SearchAnswer, SearchMatch, SearchPlan, SearchRequest, SearchRoster, SearchedBlock, Searching,
    pack_participants, pack_query,
};
use zeroize::Zeroizing;

/// Everything that a test needs of one room.
pub(crate) struct Room {
    pub(crate) context: Arc<Context>,
    pub(crate) key: SecretKey,
    pub(crate) operator: Searching,
}

/// The primes of the named set over a ring of degree 256: four participants. Far too small to be secure.
pub(crate) static REDUCED: LazyLock<Room> = LazyLock::new(|| {
    Room::new(ParameterSpec {
        name: "reduced-256".to_owned(),
        ring_degree: 256,
        policy: SecurityPolicy::InsecureTestOnly,
        ..preset(SEARCH_8192).unwrap()
    })
});

/// A key of the same ring over the first three of the primes.
pub(crate) static REDUCED_MODULUS: LazyLock<SecretKey> = LazyLock::new(|| {
    let mut spec = REDUCED.context.parameters().spec().clone();
    "reduced-modulus-256".clone_into(&mut spec.name);
    spec.ciphertext_primes.pop();
    let context = Context::new(&Parameters::new(spec, Backend::detect()).unwrap()).unwrap();
    SecretKey::from_seed(&context, Seed::from_bytes([33; 32]))
});

/// The named set: 128 participants.
pub(crate) static WHOLE: LazyLock<Room> = LazyLock::new(|| Room::new(preset(SEARCH_8192).unwrap()));

/// The secret of the service in all tests, unless they say otherwise.
pub(crate) const SECRET: [u8; 32] = [77; 32];

/// A keyword that differs from the others in every residue.
pub(crate) fn keyword(number: u16) -> Keyword {
    Keyword::from_residues(std::array::from_fn(|residue| number.wrapping_add(1000 * residue as u16)))
}

pub(crate) fn handle(number: u64) -> Handle {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    Handle::from_bytes(bytes)
}

pub(crate) fn handles(numbers: std::ops::Range<u64>) -> Vec<Handle> {
    numbers.map(handle).collect()
}

impl Room {
    pub(crate) fn new(spec: ParameterSpec) -> Self {
        let parameters = Parameters::new(spec, Backend::detect()).unwrap();
        let context = Context::new(&parameters).unwrap();
        let key = SecretKey::from_seed(&context, Seed::from_bytes([31; 32]));
        let operator = Searching::new(&context, Seed::from_bytes(SECRET)).unwrap();
        Self { context, key, operator }
    }

    pub(crate) fn record(&self, participants: &[Vec<Keyword>]) -> Vec<u8> {
        self.key.encrypt(&pack_participants(&self.context, participants).unwrap()).unwrap().to_bytes()
    }

    pub(crate) fn query(&self, keyword: &Keyword) -> SeededCiphertext {
        self.key.encrypt(&pack_query(&self.context, keyword).unwrap()).unwrap()
    }

    /// A query with randomness that is the same in every run.
    pub(crate) fn fixed_query(&self, keyword: &Keyword, salt: u8) -> SeededCiphertext {
        let plaintext = pack_query(&self.context, keyword).unwrap();
        let seeds = [salt, salt ^ 0x80].map(|byte| Seed::from_bytes([byte; 32]));
        let [uniform, error] = seeds;
        hazmat::encrypt_deterministically(&self.key, &plaintext, uniform, &error).unwrap()
    }

    pub(crate) fn request(&self, query: SeededCiphertext) -> SearchRequest {
        SearchRequest { query, public_key: self.key.public_key() }
    }

    /// Asks, and opens all coefficients of every block.
    pub(crate) fn ask(
        &self,
        snapshot: &dyn Snapshot,
        request: &SearchRequest,
    ) -> (SearchAnswer, Vec<Zeroizing<Vec<i64>>>) {
        let bytes = request.to_bytes().unwrap();
        let answer = SearchAnswer::from_bytes(&snapshot.evaluate(&bytes, None).unwrap(), &self.context).unwrap();
        assert_eq!(answer.request_digest, content_digest(&bytes));
        let positions: Vec<u32> = (0..self.context.parameters().degree() as u32).collect();
        let expected = Expectation { positions, range: SearchedBlock::range(&self.context) };
        let noise = SearchPlan::new(&self.context).unwrap().answer;
        let open = |block: &SearchedBlock| self.key.open_answer_within(&block.answer, &expected, noise).unwrap();
        let opened = answer.blocks.iter().map(open).collect();
        (answer, opened)
    }

    /// Who has the keyword, in the order of handles.
    pub(crate) fn search(&self, roster: &SearchRoster, keyword: &Keyword) -> Vec<SearchMatch> {
        let view = roster.view();
        let (answer, opened) = self.ask(&view, &self.request(self.query(keyword)));
        assert_eq!(answer.roster_digest, view.digest());
        let of_block = answer.blocks.iter().zip(&opened);
        let mut matches: Vec<SearchMatch> =
            of_block.flat_map(|(block, opened)| block.matches(&self.context, opened).unwrap()).collect();
        matches.sort_unstable();
        matches
    }

    /// The slots of opened coefficients.
    pub(crate) fn slots(&self, coefficients: &[i64]) -> Vec<i64> {
        self.context.decode_slots(&self.context.encode_coefficients(coefficients).unwrap()).unwrap()
    }
}
