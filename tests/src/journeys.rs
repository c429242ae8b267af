//! Random finds over HTTP: members and strangers ask in rooms of all sizes, every answer is opened and held to the clear function, and every exchange is weighed
//! byte by byte as it crosses the wire.

mod connection;
mod house;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;

use blindrelay_routing::find::{FindAnswer, FindKind, FindRequest, THRESHOLDS, reference};
use blindrelay_routing::{TOKEN_ENTRIES, Token};

pub use self::connection::{Connection, Reply};
pub use self::house::{House, Participant, Room};
use crate::generator::Generator;

/// Room sizes of one asker.
pub const SIZES: [usize; 4] = [1, 3, 20, 100];

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Answers that were opened and compared.
    pub journeys: u64,
    /// Answers that opened to no ticket, as they should.
    pub nobody: u64,
    /// Tickets that were opened, all of them the right ones.
    pub tickets: u64,
    /// Answers to the question how many match.
    pub counts: u64,
    /// Participants who left while others asked, each followed by one who came.
    pub changes: u64,
    /// Answers that are not what the clear function says. Their journeys are named.
    pub wrong: Vec<u64>,
    /// Bytes of a request with its head, of a request for tickets or a count.
    pub requests: BTreeSet<usize>,
    /// Bytes of an answer with its head, of requests for tickets: how often where somebody matches, and how often where nobody does.
    pub answers: BTreeMap<usize, [u64; 2]>,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.journeys += other.journeys;
        self.nobody += other.nobody;
        self.tickets += other.tickets;
        self.counts += other.counts;
        self.changes += other.changes;
        self.wrong.extend(other.wrong);
        self.requests.extend(other.requests);
        for (bytes, [somebody, nobody]) in other.answers {
            let seen = self.answers.entry(bytes).or_default();
            seen[0] += somebody;
            seen[1] += nobody;
        }
    }
}

/// Somebody who asks in rooms of their own, over one connection.
pub struct Asker<'a> {
    house: &'a House,
    connection: Connection,
    rooms: Vec<Room>,
}

impl<'a> Asker<'a> {
    /// Makes the rooms and lets everybody enrol.
    pub fn new(house: &'a House, number: u64, sizes: &[usize]) -> Self {
        let mut connection = Connection::open(house.address());
        let mut choices = Generator::new("tests/journeys/rooms", number);
        let rooms = sizes.iter().map(|&size| Room::new(house, &mut connection, &mut choices, size)).collect();
        Self { house, connection, rooms }
    }

    /// Journey `number`: mostly the name of a member or a stranger and a threshold that only equal names reach, sometimes any threshold, sometimes only the count.
    pub fn journey(&mut self, number: u64) -> Tally {
        let mut choices = Generator::new("tests/journeys", number);
        let at = choices.below(self.rooms.len());
        let room = &mut self.rooms[at];
        let mut tally = Tally { journeys: 1, ..Tally::default() };
        if choices.below(40) == 0 {
            room.change(self.house, &mut self.connection, &mut choices);
            tally.changes += 1;
        }
        let token = match choices.below(2) {
            0 => choices.choose(&room.participants).token.clone(),
            _ => Token::of_identity(&[3; 32], &format!("stranger {number}")),
        };
        let threshold = match choices.below(8) {
            0 => THRESHOLDS.start() + choices.below(2 * TOKEN_ENTRIES) as i64,
            _ => *THRESHOLDS.end(),
        };
        let kind = if choices.below(16) == 0 { FindKind::Count } else { FindKind::Tickets };
        let request = self.house.request(&token, kind, threshold);
        let reply = self.connection.post(&format!("{}/match", room.path), &request.1);
        assert_eq!(reply.status, 200, "journey {number}: {}", String::from_utf8_lossy(&reply.body));
        tally.requests.insert(reply.sent);
        let mut expected: Vec<&[u8]> = reference::find(
            token.entries(),
            room.participants.iter().map(|one| (one.token.entries(), one.ticket.as_slice())),
            threshold,
        );
        let right = match kind {
            FindKind::Tickets => {
                let opened = self.house.tickets(&answer(self.house, &request, &reply));
                let mut found: Vec<&[u8]> = opened.iter().map(Vec::as_slice).collect();
                found.sort_unstable();
                expected.sort_unstable();
                let seen = tally.answers.entry(reply.received).or_default();
                seen[usize::from(expected.is_empty())] += 1;
                found == expected
            }
            FindKind::Count => {
                tally.counts += 1;
                self.house.count(&answer(self.house, &request, &reply)) == Some(expected.len())
            }
        };
        match right {
            false => tally.wrong.push(number),
            true if kind == FindKind::Count => {}
            true if expected.is_empty() => tally.nobody += 1,
            true => tally.tickets += expected.len() as u64,
        }
        tally
    }
}

/// The answer that a reply carries, which must be one to the request.
fn answer(house: &House, request: &(FindRequest, Vec<u8>), reply: &Reply) -> FindAnswer {
    let answer = FindAnswer::from_bytes(&reply.body, house.context()).expect("an answer of this operator");
    answer.check(&request.0, &request.1).expect("the answer to this request");
    answer
}
