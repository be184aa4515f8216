//! Collections: a step gathers events over several invocations until it has what it expects.
mod engine_kit;
mod processor_time;

use engine_kit::{Call, Flow, Host};
use stepstream::engine::{EventTypeId, Patterns, StepId};
use stepstream::error::Code;

struct Collecting {
    run: Host,
    step: StepId,
    types: [EventTypeId; 3],
}

/// A run with a step that takes two types and a kind of the first.
fn collecting() -> Collecting {
    let mut flow = Flow::new();
    let (start, a, b) = (flow.start, flow.event(), flow.event());
    let a1 = flow.kind_of(a);
    flow.step(&[start], &[a, b]);
    let step = flow.add(stepstream::engine::Step { inputs: vec![vec![a, b]], ..Default::default() });
    Collecting { run: flow.run(), step, types: [a, b, a1] }
}

impl Collecting {
    /// An event arrives and the step collects it.
    fn feed(&mut self, ty: EventTypeId, payload: &str, expected: &[EventTypeId]) -> Option<String> {
        self.run.send(ty, payload);
        let call = self.last();
        let found = self.run.collect(&call, ty, payload, expected);
        self.run.finish_empty(&call);
        found.map(|found| found.join("+"))
    }

    fn last(&self) -> Call {
        self.run.calls(self.step).pop().expect("the step is running")
    }
}

#[test]
fn a_collection_comes_in_the_order_asked() {
    let mut on = collecting();
    let [a, b, _] = on.types;
    let expected = [a, b, b];
    assert_eq!(on.feed(b, "b1", &expected), None);
    assert_eq!(on.feed(b, "b2", &expected), None);
    assert_eq!(on.feed(a, "a1", &expected).as_deref(), Some("a1+b1+b2"));
    assert_eq!(on.run.kept_payloads(), 1, "nothing is left but the start event");
}

#[test]
fn what_is_too_much_stays_for_the_next_collection() {
    let mut on = collecting();
    let [a, b, _] = on.types;
    for payload in ["a1", "a2", "a3"] {
        assert_eq!(on.feed(a, payload, &[a, b]), None);
    }
    assert_eq!(on.feed(b, "b1", &[a, b]).as_deref(), Some("a1+b1"));
    assert_eq!(on.feed(b, "b2", &[a, b]).as_deref(), Some("a2+b2"));
    assert_eq!(on.run.kept_payloads(), 2);
}

#[test]
fn what_is_not_expected_is_not_collected() {
    let mut on = collecting();
    let [a, b, _] = on.types;
    assert_eq!(on.feed(b, "b", &[a]), None);
    assert_eq!(on.feed(a, "a", &[a]).as_deref(), Some("a"));
    assert_eq!(on.feed(a, "a", &[]), None);
    assert_eq!(on.run.kept_payloads(), 1);
}

#[test]
fn the_order_of_asking_does_not_make_another_collection_but_its_content_does() {
    let mut on = collecting();
    let [a, b, _] = on.types;
    assert_eq!(on.feed(a, "a1", &[a, b]), None);
    assert_eq!(on.feed(a, "a2", &[a, a, b]), None, "another collection");
    assert_eq!(on.feed(b, "b1", &[b, a]).as_deref(), Some("b1+a1"));
}

#[test]
fn kinds_count_as_their_type() {
    let mut on = collecting();
    let [a, b, a1] = on.types;
    assert_eq!(on.feed(a1, "kind", &[a, b]), None);
    assert_eq!(on.feed(b, "b", &[a, b]).as_deref(), Some("kind+b"));
}

#[test]
fn of_several_kinds_the_oldest_is_collected() {
    for kind_is_older in [true, false] {
        let mut on = collecting();
        let [a, b, a1] = on.types;
        on.feed(if kind_is_older { a1 } else { a }, "older", &[a, b]);
        on.feed(if kind_is_older { a } else { a1 }, "younger", &[a, b]);
        assert_eq!(on.feed(b, "b1", &[a, b]).as_deref(), Some("older+b1"));
        assert_eq!(on.feed(b, "b2", &[a, b]).as_deref(), Some("younger+b2"));
    }
}

#[test]
fn a_kind_is_not_used_up_where_its_ancestor_would_do() {
    for expected_kind_first in [true, false] {
        for kind_comes_first in [true, false] {
            let mut on = collecting();
            let [a, _, a1] = on.types;
            let expected = if expected_kind_first { [a1, a] } else { [a, a1] };
            let events = if kind_comes_first { [(a1, "kind"), (a, "plain")] } else { [(a, "plain"), (a1, "kind")] };
            assert_eq!(on.feed(events[0].0, events[0].1, &expected), None);
            let wanted = if expected_kind_first { "kind+plain" } else { "plain+kind" };
            assert_eq!(on.feed(events[1].0, events[1].1, &expected).as_deref(), Some(wanted));
        }
    }
}

#[test]
fn steps_collect_apart() {
    let mut flow = Flow::new();
    let (start, a) = (flow.start, flow.event());
    let steps = [flow.step(&[start], &[a]), flow.step(&[start], &[a])];
    let mut run = flow.run();
    for step in steps {
        assert_eq!(run.collect(&run.call(step), a, "one", &[a, a]), None);
    }
}

#[test]
fn a_large_collection_is_gathered_in_good_time() {
    let mut flow = Flow::new();
    let (start, a) = (flow.start, flow.event());
    let step = flow.step(&[start], &[a]);
    let run = flow.run();
    let (mut engine, call) = (run.engine, run.running[0].clone());
    assert_eq!(call.step, step);
    let expected = vec![a; 2000];
    let ((), cost) = processor_time::cost_of(|| {
        for slot in 1..=2000 {
            let tick = stepstream::engine::Tick::Collect {
                invocation: call.id,
                ty: a,
                slot: stepstream::engine::Slot(slot),
                expected: expected.clone(),
            };
            let reply = engine.apply(tick, stepstream::engine::Millis(0)).unwrap();
            let stepstream::engine::TickOutput::Collected(found) = reply else { panic!("{reply:?}") };
            assert_eq!(found.map(|found| found.len()), (slot == 2000).then_some(2000));
        }
    });
    // It takes a fraction of a second; trying every event for every place would take hours.
    assert!(cost.as_secs() < 20, "{cost:?}");
}

#[test]
fn a_list_is_kept_once_and_lists_are_kept_up_to_a_limit() {
    let on = collecting();
    let [a, b, _] = on.types;
    let engine = &on.run.engine;
    let mut patterns = Patterns::new();
    let mut number = |expected: Vec<EventTypeId>| patterns.number(engine, expected);
    assert_eq!(number(vec![a, b]), Ok(Some(0)));
    assert_eq!(number(vec![b, a]), Ok(Some(1)), "the order matters");
    assert_eq!(number(vec![a, b]), Ok(Some(0)));
    assert_eq!(number(vec![EventTypeId(99)]), Err(Code::StaleId));
    assert_eq!(number(vec![a; Patterns::MOST_TYPES - 3]), Ok(None), "too many types together");
    assert_eq!(number(vec![a; Patterns::MOST_TYPES / 2]), Ok(Some(2)));
    let list = |nth: usize| (0..12).map(|bit| if nth >> bit & 1 == 0 { a } else { b }).collect::<Vec<_>>();
    for nth in 3..Patterns::MOST_LISTS {
        assert_eq!(number(list(nth)), Ok(Some(nth as u32)));
    }
    assert_eq!(number(list(Patterns::MOST_LISTS)), Ok(None), "too many lists");
    assert_eq!(number(list(500)), Ok(Some(500)), "what is kept stays");
    assert_eq!(patterns.get(1).map(|pattern| pattern.expected()), Some(&[b, a][..]));
    assert!(patterns.get(u32::MAX).is_none());
}

#[test]
fn what_a_list_has_collected_is_counted_by_step_and_list() {
    let mut on = collecting();
    let [a, b, _] = on.types;
    let pattern = |on: &Collecting, list: &[EventTypeId]| on.run.engine.pattern(list.to_vec()).expect("types exist");
    let (both, twice, other) = (pattern(&on, &[a, b]), pattern(&on, &[b, a]), pattern(&on, &[a, a]));
    on.feed(a, "a1", &[a, b]);
    on.feed(a, "a2", &[b, a]);
    on.run.send(a, "asks");
    let counts = [&both, &twice, &other].map(|pattern| on.run.engine.collected(on.last().id, pattern, None));
    assert_eq!(counts, [2, 2, 0], "the order does not matter here");
    on.feed(b, "b1", &[a, b]);
    assert_eq!(on.run.engine.collected(on.last().id, &both, None), 1);
}

#[test]
fn buffers_are_collections_of_their_own() {
    let mut on = collecting();
    let [a, b, _] = on.types;
    let expected = [a, b];
    let mut feed = |buffer, ty, payload: &str| {
        on.run.send(ty, "asks");
        let call = on.last();
        let found = on.run.collect_into(buffer, &call, ty, payload, &expected);
        on.run.finish_empty(&call);
        found.map(|found| found.join("+"))
    };
    assert_eq!(feed(Some("x"), a, "ax"), None);
    assert_eq!(feed(Some("y"), b, "by"), None, "an event of another buffer does not count");
    assert_eq!(feed(None, b, "b"), None);
    assert_eq!(feed(Some("x"), b, "bx").as_deref(), Some("ax+bx"));
    assert_eq!(feed(None, a, "a").as_deref(), Some("a+b"));
    assert_eq!(feed(Some("y"), a, "ay").as_deref(), Some("ay+by"));
    assert_eq!(feed(Some("x"), b, "again"), None, "what was taken out is not there any more");
}

#[test]
fn what_a_buffer_has_is_counted_alone() {
    let mut on = collecting();
    let [a, b, _] = on.types;
    let pattern = on.run.engine.pattern(vec![a, b]).expect("types exist");
    on.run.send(a, "asks");
    let call = on.last();
    on.run.collect_into(Some("x"), &call, a, "a1", &[a, b]);
    on.run.collect_into(Some("x"), &call, a, "a2", &[a, b]);
    on.run.collect(&call, a, "a3", &[a, b]);
    let count = |buffer: Option<&str>| on.run.engine.collected(call.id, &pattern, buffer.map(Into::into));
    assert_eq!([count(Some("x")), count(Some("y")), count(None)], [2, 0, 1]);
}

/// What is gathered has the list of a snapshot, which a new list is not compared with at each event.
#[test]
fn a_restored_collection_shares_its_list() {
    let mut on = collecting();
    let [a, b, _] = on.types;
    let list = vec![a; 4000];
    on.run.send(a, "asks");
    let call = on.last();
    on.run.collect_into(Some("x"), &call, a, "a1", &list);
    let first = on.run.engine.pattern(list.clone()).expect("types exist");
    let again = on.run.engine.pattern(list).expect("types exist");
    assert_eq!(on.run.engine.collected(call.id, &first, Some("x".into())), 1);
    assert!(first.shares_list_with(&again), "both have the list of the collection");
    let other = on.run.engine.pattern(vec![b; 3]).expect("types exist");
    assert!(!first.shares_list_with(&other));
}
