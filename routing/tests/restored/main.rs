//! Collections of scores and of keywords that are made again; those of finds are among the tests of finds.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code: a panic is a failed test")]

mod restoring;

use blindrelay_engine::Backend;
use blindrelay_engine::bfv::Context;
use blindrelay_engine::params::{Parameters, SEARCH_8192, preset};
use blindrelay_engine::ring::Seed;
use blindrelay_engine::wire::Wire;
use blindrelay_keyholder::SecretKey;
use blindrelay_routing::search::{Keyword, SearchRequest, Searching, pack_participants, pack_query};
use blindrelay_routing::{MatchKind, Matching, Token};

#[test]
fn scores_of_a_roster_that_was_made_again() {
    for kind in [MatchKind::Signs, MatchKind::Embeddings] {
        let parameters = Parameters::new(preset(kind.parameters()).unwrap(), Backend::detect()).unwrap();
        let context = Context::new(&parameters).unwrap();
        let key = SecretKey::from_seed(&context, Seed::from_bytes([9; 32]));
        let token = Token::from_entries(&[1; 128]).unwrap();
        let tokens = |count: usize| std::iter::repeat_n(&token, count).cloned().collect::<Vec<_>>();
        let record = |count| key.encrypt(&kind.pack_tokens(&context, &tokens(count)).unwrap()).unwrap().to_bytes();
        let probe = key.encrypt(&kind.pack_probe(&context, &token).unwrap()).unwrap().to_bytes();
        let operator = Matching::new(kind, &context).unwrap();
        restoring::check(&operator, 5, &record, &|roster| roster.snapshot().evaluate(&probe, None).unwrap());
    }
}

#[test]
fn keywords_of_a_roster_that_was_made_again() {
    let parameters = Parameters::new(preset(SEARCH_8192).unwrap(), Backend::detect()).unwrap();
    let context = Context::new(&parameters).unwrap();
    let key = SecretKey::from_seed(&context, Seed::from_bytes([9; 32]));
    let keyword = |number: u16| Keyword::from_residues(std::array::from_fn(|residue| number + 100 * residue as u16));
    let record = |count: usize| {
        let participants: Vec<Vec<Keyword>> = (0..count).map(|number| vec![keyword(number as u16)]).collect();
        key.encrypt(&pack_participants(&context, &participants).unwrap()).unwrap().to_bytes()
    };
    let query = key.encrypt(&pack_query(&context, &keyword(1)).unwrap()).unwrap();
    let request = SearchRequest { query, public_key: key.public_key() }.to_bytes().unwrap();
    let operator = Searching::new(&context, Seed::from_bytes([77; 32])).unwrap();
    restoring::check(&operator, 5, &record, &|roster| roster.snapshot().evaluate(&request, None).unwrap());
}
