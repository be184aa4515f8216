//! What distinguishes workflows: the names of steps and, for steps without a name, their places and what they are.

use stepstream::engine::{EventTypeId, Graph, Handler, Role, Step, StepId};
use stepstream::snapshot::header::{Header, Kind};

/// A graph with the types start, a, b and stop.
fn graph(steps: Vec<Step>) -> Graph {
    let mut graph = Graph::new();
    for (role, name) in [(Role::Start, "start"), (Role::Plain, "a"), (Role::Plain, "b"), (Role::Stop, "stop")] {
        let ty = graph.add_type(role, &[]).expect("without parents");
        graph.name_type(ty, name);
    }
    for step in steps {
        graph.add_step(step).expect("well made");
    }
    graph
}

const START: EventTypeId = EventTypeId(0);
const A: EventTypeId = EventTypeId(1);
const B: EventTypeId = EventTypeId(2);
const STOP: EventTypeId = EventTypeId(3);

fn named(name: &str, from: EventTypeId, to: EventTypeId) -> Step {
    Step { name: name.into(), inputs: vec![vec![from]], outputs: Some(vec![to]), ..Step::default() }
}

/// A step that its user gave no name, under the name that a host makes up for its place.
fn unnamed(place: usize, code: u64, from: EventTypeId, to: EventTypeId) -> Step {
    Step { unnamed: Some(code), ..named(&format!("step{place}"), from, to) }
}

#[test]
fn with_names_alone_it_is_what_it_was() {
    let steps = || vec![named("one", START, A), named("two", A, STOP)];
    let graph = graph(steps());
    assert_eq!(graph.fingerprint(), graph.first_fingerprint());
    assert_eq!(graph.fingerprint(), 0x44a3_1e59_2821_6bf6, "as the first version had it");
    let mut other_way_round = steps();
    other_way_round.reverse();
    assert_eq!(
        self::graph(other_way_round).fingerprint(),
        graph.fingerprint(),
        "the order of named steps does not count"
    );
}

#[test]
fn unnamed_steps_that_are_alike_and_changed_places_are_distinguished_by_their_code() {
    let before = graph(vec![unnamed(1, 10, START, A), unnamed(2, 20, START, A), named("end", A, STOP)]);
    let after = graph(vec![unnamed(1, 20, START, A), unnamed(2, 10, START, A), named("end", A, STOP)]);
    assert_eq!(before.first_fingerprint(), after.first_fingerprint(), "which was the fault");
    assert_ne!(before.fingerprint(), after.fingerprint());
}

#[test]
fn unnamed_steps_that_differ_are_distinguished_by_their_places_and_their_code_does_not_count() {
    let before = graph(vec![unnamed(1, 10, START, A), unnamed(2, 20, A, STOP)]);
    let mended = graph(vec![unnamed(1, 11, START, A), unnamed(2, 21, A, STOP)]);
    let swapped = graph(vec![unnamed(1, 20, A, STOP), unnamed(2, 10, START, A)]);
    assert_eq!(before.fingerprint(), mended.fingerprint(), "a handler may be mended");
    assert_ne!(before.fingerprint(), swapped.fingerprint());
}

#[test]
fn the_place_of_an_unnamed_step_counts_among_all() {
    let before = graph(vec![named("one", START, A), unnamed(2, 1, A, STOP)]);
    let after = graph(vec![unnamed(2, 1, A, STOP), named("one", START, A)]);
    assert_eq!(before.first_fingerprint(), after.first_fingerprint());
    assert_ne!(before.fingerprint(), after.fingerprint());
}

#[test]
fn what_is_alike_is_seen_whatever_the_order_of_choices() {
    let step = |place, code, choice: [EventTypeId; 2]| Step {
        inputs: vec![choice.to_vec()],
        outputs: None,
        ..unnamed(place, code, A, B)
    };
    let with = |first, second| graph(vec![step(1, first, [A, B]), step(2, second, [B, A])]).fingerprint();
    assert_ne!(with(10, 20), with(20, 10));
}

#[test]
fn unnamed_handlers_are_distinguished_by_what_they_handle() {
    let handler = |place: usize, code, handled| {
        let handler = Some(Handler { steps: vec![StepId(handled)], max_recoveries: 1 });
        Step { name: format!("catchError{place}").into(), unnamed: Some(code), handler, ..Step::default() }
    };
    let steps = || vec![named("one", START, A), named("two", A, STOP)];
    let with = |first, second| {
        let mut all = steps();
        all.extend([handler(3, first, 0), handler(4, second, 1)]);
        graph(all).fingerprint()
    };
    assert_eq!(with(10, 20), with(20, 10), "their code does not count where they are not alike");
}

#[test]
fn a_header_fits_by_the_fingerprint_of_its_version() {
    let graph = graph(vec![unnamed(1, 1, START, A), unnamed(2, 2, START, A)]);
    let (first, now) = (graph.first_fingerprint(), graph.fingerprint());
    assert_ne!(first, now);
    let header = |version, fingerprint| Header { version, ..Header::new(Kind::Snapshot, fingerprint, 0) };
    assert!(header(1, first).fits(&graph) && header(2, now).fits(&graph));
    assert!(!header(1, now).fits(&graph) && !header(2, first).fits(&graph));
}
