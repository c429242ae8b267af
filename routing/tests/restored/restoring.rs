//! A collection that is made again from records and placements answers like the one that chose them.

use blindrelay_engine::operator::{Collection, Handle, Operator, OperatorError, Placement};

struct Enrolled {
    record: Vec<u8>,
    handles: Vec<Handle>,
    placement: Placement,
    removed: Vec<Handle>,
}

fn next(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize
}

fn new_handle(state: &mut u64) -> Handle {
    let words = [next(state) as u64, next(state) as u64];
    Handle::from_bytes(std::array::from_fn(|byte| words[byte / 8].to_le_bytes()[byte % 8]))
}

/// Adds and removes at random, makes the collection again from what is left, in another order, and holds the answers of both against each other.
pub(crate) fn check(
    operator: &dyn Operator,
    most: usize,
    record: &dyn Fn(usize) -> Vec<u8>,
    answer: &dyn Fn(&dyn Collection) -> Vec<u8>,
) {
    for seed in 1..5 {
        let mut state = seed;
        let mut first = operator.new_collection();
        let mut enrolled: Vec<Enrolled> = Vec::new();
        for _ in 0..24 {
            if enrolled.is_empty() || !next(&mut state).is_multiple_of(3) {
                let count = 1 + next(&mut state) % most;
                let handles: Vec<Handle> = (0..count).map(|_| new_handle(&mut state)).collect();
                let record = record(count);
                let placement = first.append(&record, &handles).unwrap();
                enrolled.push(Enrolled { record, handles, placement, removed: Vec::new() });
            } else {
                let index = next(&mut state) % enrolled.len();
                let gone = &mut enrolled[index];
                let handle = *gone.handles.iter().find(|handle| !gone.removed.contains(handle)).unwrap();
                first.remove(handle).unwrap();
                gone.removed.push(handle);
                if gone.removed.len() == gone.handles.len() {
                    enrolled.remove(index);
                }
            }
        }
        let mut again = operator.new_collection();
        let third = enrolled.len() / 3;
        enrolled.rotate_left(third);
        enrolled.reverse();
        for Enrolled { record, handles, placement, removed } in &enrolled {
            again.restore(record, handles, *placement).unwrap();
            for &handle in removed {
                again.remove(handle).unwrap();
            }
        }
        assert_eq!(again.handles(), first.handles());
        assert_eq!(again.byte_len(), first.byte_len());
        let expected = answer(first.as_ref());
        assert!(answer(again.as_ref()) == expected, "the answers of equal collections differ");

        // Where something stands, nothing else can be put; nor where there is nothing to stand on.
        let taken = &enrolled[0];
        let others: Vec<Handle> = taken.handles.iter().map(|_| new_handle(&mut state)).collect();
        let outside = Placement { place: u32::MAX, ..taken.placement };
        for placement in [taken.placement, outside] {
            let refused = again.restore(&taken.record, &others, placement);
            assert!(matches!(refused, Err(OperatorError::Placement { placement: found, .. }) if found == placement));
        }
        let here = taken.handles.iter().find(|handle| !taken.removed.contains(handle)).copied().unwrap();
        let free = Placement { group: 1000, place: 0 };
        let refused = again.restore(&record(1), &[here], free);
        assert_eq!(refused, Err(OperatorError::RepeatedHandle { handle: here }));
        assert!(matches!(again.restore(&record(1), &[], free), Err(OperatorError::ValueCount { found: 0, .. })));
        assert!(answer(again.as_ref()) == expected, "a refusal changed something");

        // What comes next stands where it would have stood.
        let (late, record) = (new_handle(&mut state), record(1));
        let placement = again.append(&record, &[late]).unwrap();
        first.restore(&record, &[late], placement).unwrap();
        assert!(answer(again.as_ref()) == answer(first.as_ref()));
    }
}
