//! What all rosters ask of new handles and of where records stand.

use blindrelay_engine::operator::{Handle, OperatorError, Placement};

/// Refuses no handles, more than `capacity`, repeated ones, and those that are enrolled.
pub(crate) fn new_handles(
    handles: &[Handle],
    capacity: usize,
    enrolled: impl Fn(&Handle) -> bool,
) -> Result<(), OperatorError> {
    if handles.is_empty() || handles.len() > capacity {
        return Err(OperatorError::ValueCount { found: handles.len(), capacity });
    }
    let repeated = handles
        .iter()
        .enumerate()
        .find(|(index, handle)| enrolled(handle) || handles.iter().skip(index + 1).any(|other| other == *handle));
    repeated.map_or(Ok(()), |(_, &handle)| Err(OperatorError::RepeatedHandle { handle }))
}

/// The placement of `count` values from `place` on in a group.
pub(crate) fn placement(group: usize, place: usize, count: usize) -> Result<Placement, OperatorError> {
    let last = Placement { group: u32::MAX, place: u32::MAX };
    Placement::new(group, place).ok_or(OperatorError::Placement {
        placement: last,
        count,
        reason: "groups and places are counted up to it",
    })
}
