//! A room for keyword search: who has a keyword.

use std::sync::Arc;

use blindrelay_engine::bfv::Context;
use blindrelay_engine::operator::{Collection, Handle, Snapshot};
use blindrelay_engine::params::SEARCH_8192;
use blindrelay_engine::ring::Seed;
use blindrelay_engine::wire::Wire;
use blindrelay_kernels::Backend;
use blindrelay_keyholder::{Expectation, SecretKey};
use blindrelay_routing::search::{
    KEYWORDS, Keyword, SearchAnswer, SearchLayout, SearchMatch, SearchRequest, SearchSnapshot, SearchedBlock,
    Searching, pack_participants, pack_query,
};

use super::{Decision, KeyBytes, describe};
use crate::random::SplitMix64;
use crate::{Error, agree, room};

/// The room as the service holds it, with one request.
pub(super) struct SearchRoom {
    context: Arc<Context>,
    snapshot: SearchSnapshot,
    request: Vec<u8>,
}

impl SearchRoom {
    /// A room of participants with eight keywords each, as many records as have room in a ciphertext in one. Refused where the answer opens to anything else than the one
    /// keyword that is asked for, the last participant's fourth.
    pub(super) fn new(keywords: usize, backend: Backend) -> Result<Self, Error> {
        let context = room::context(SEARCH_8192, backend)?;
        let key = SecretKey::from_seed(&context, Seed::from_bytes([13; 32]));
        let mut roster = Searching::new(&context, Seed::from_bytes([14; 32]))?.roster();
        let mut random = SplitMix64::new(9);
        let mut keyword = || Keyword::from_residues(std::array::from_fn(|_| random.next_word() as u16));
        let participants: Vec<Vec<Keyword>> =
            (0..keywords.div_ceil(KEYWORDS)).map(|_| (0..KEYWORDS).map(|_| keyword()).collect()).collect();
        let mut numbers = (0_u128..).map(|number| Handle::from_bytes(number.to_le_bytes()));
        for together in participants.chunks(SearchLayout::new(context.parameters().degree()).capacity()) {
            let plaintext = pack_participants(&context, together).map_err(Error::received)?;
            let handles: Vec<Handle> = numbers.by_ref().take(together.len()).collect();
            roster.append(&key.encrypt(&plaintext)?.to_bytes(), &handles)?;
        }
        let place = KEYWORDS / 2 - 1;
        let sought = participants.last().and_then(|keywords| keywords.get(place));
        let sought = sought.ok_or_else(|| Error::received("no keyword to search for"))?;
        let query = key.encrypt(&pack_query(&context, sought).map_err(Error::received)?)?;
        let request = SearchRequest { query, public_key: key.public_key() }.to_bytes()?;
        let room = Self { context, snapshot: roster.view(), request };
        let handle = Handle::from_bytes((participants.len() as u128 - 1).to_le_bytes());
        agree("search", "blindrelay", &room.opened(&key)?, &vec![SearchMatch { handle, place }])?;
        Ok(room)
    }

    fn opened(&self, key: &SecretKey) -> Result<Vec<SearchMatch>, Error> {
        let context = &self.context;
        let answer = SearchAnswer::from_bytes(&self.evaluate()?, context).map_err(Error::received)?;
        let positions = (0..context.parameters().degree() as u32).collect();
        let expectation = Expectation { positions, range: SearchedBlock::range(context) };
        let mut matches = Vec::new();
        for block in &answer.blocks {
            let coefficients = key.open_answer(&block.answer, &expectation)?;
            matches.extend(block.matches(context, &coefficients).map_err(Error::received)?);
        }
        Ok(matches)
    }
}

impl Decision for SearchRoom {
    fn evaluate(&self) -> Result<Vec<u8>, Error> {
        Ok(self.snapshot.evaluate(&self.request, None)?)
    }

    fn keys(&self) -> KeyBytes {
        KeyBytes::default()
    }

    fn parameters(&self) -> String {
        describe(&self.context)
    }
}
