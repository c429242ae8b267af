//! Several nodes of one service.

use std::time::Duration;

use blindrelay_client::Error;
use serde_json::json;

use crate::script::{self, DEAD, ID, Pauses, Service, problem, room};

#[test]
fn a_dead_node_is_left_for_the_next_one_and_not_come_back_to() {
    let service = Service::start(vec![room(), room()]);
    let pauses = Pauses::new();
    let client = script::builder(DEAD, &pauses).node(&service.url).build().unwrap();
    assert_eq!(client.room(ID).unwrap().id, ID);
    assert_eq!(pauses.noted().len(), 1);
    assert_eq!(client.room(ID).unwrap().id, ID);
    assert_eq!(pauses.noted().len(), 1);
    assert_eq!(service.finish().len(), 2);
}

#[test]
fn the_wish_of_one_node_does_not_hold_for_the_others() {
    let busy = || problem("503 Service Unavailable", "retry-after: 30\r\n", "busy");
    let (first, second) = (Service::start(vec![busy(), room()]), Service::start(vec![busy()]));
    let pauses = Pauses::new();
    let client = script::builder(&first.url, &pauses).node(&second.url).build().unwrap();
    assert_eq!(client.room(ID).unwrap().id, ID);
    let noted = pauses.noted();
    assert!(noted.len() == 2 && noted[0] <= Duration::from_millis(100), "{noted:?}");
    assert_eq!(noted[1], Duration::from_secs(30));
    assert_eq!((first.finish().len(), second.finish().len()), (2, 1));
}

#[test]
fn what_is_sent_once_fails_on_a_dead_node_and_the_next_request_goes_elsewhere() {
    let service = Service::start(vec![script::json(&json!({ "room": ID }))]);
    let pauses = Pauses::new();
    let client = script::builder(DEAD, &pauses).node(&service.url).build().unwrap();
    let error = client.create_room("match-signs/1", None).unwrap_err();
    assert!(matches!(error, Error::Unreachable { ref url, .. } if url == DEAD), "{error:?}");
    assert_eq!(client.create_room("match-signs/1", None).unwrap(), ID);
    assert_eq!((service.finish().len(), pauses.noted().len()), (1, 0));
}

#[test]
fn a_busy_node_is_the_only_one_left_if_the_other_is_dead() {
    let service = Service::start(vec![problem("503 Service Unavailable", "", "busy"), room()]);
    let pauses = Pauses::new();
    let client = script::builder(&service.url, &pauses).node(DEAD).build().unwrap();
    assert_eq!(client.room(ID).unwrap().id, ID);
    assert_eq!((service.finish().len(), pauses.noted().len()), (2, 2));
}
