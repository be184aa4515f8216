//! The laws of snapshots, held against random workflows: a run that is recovered from bytes, at any tick, continues as if nothing had been.
mod snapshot_kit;
// Here and not in the kit, so that the other tests need not be linked with proptest.
#[path = "snapshot_kit/certain.rs"]
mod certain;
#[path = "snapshot_kit/random.rs"]
mod random;

use std::collections::BTreeMap;

use certain::certain;
use proptest::prelude::*;
use random::{blueprints, choices};
use snapshot_kit::{Blueprint, Op, Order, Position, Sim};
use stepstream::engine::{Command, Condition, Image, Millis, Outcome, Status};
use stepstream::error::Code;
use stepstream::snapshot::container::encode_image;
use stepstream::snapshot::replay::{Passed, Replay};

/// What of a run must be the same in every life.
#[derive(Debug, PartialEq)]
struct Story {
    stream: Vec<String>,
    written: BTreeMap<String, Vec<Vec<String>>>,
    effects: BTreeMap<String, u32>,
    births: u32,
    now: u64,
    outcome: Option<&'static str>,
    result: Option<String>,
    description: Vec<String>,
}

fn outcome(sim: &Sim) -> Option<&'static str> {
    Some(match sim.outcome? {
        Outcome::Completed(_) => "completed",
        Outcome::StepFailed { .. } => "step failed",
        Outcome::TimedOut => "timed out",
        Outcome::Stalled => "stalled",
        Outcome::LimitReached => "limit reached",
        _ => "cancelled",
    })
}

fn story(sim: &Sim) -> Story {
    Story {
        stream: sim.stream.clone(),
        written: sim.written.clone(),
        effects: sim.effects.clone(),
        births: sim.births,
        now: sim.now,
        outcome: outcome(sim),
        result: sim.result.clone(),
        description: sim.description(),
    }
}

/// Does what was chosen, until the run is over or nothing is left to do; `look` sees the run before each time.
fn play(sim: &mut Sim, choices: &[(u8, u8)], mut look: impl FnMut(&mut Sim, &[Op])) -> Vec<Op> {
    look(sim, &[]);
    sim.begin();
    sim.check();
    go_on(sim, choices, look)
}

fn go_on(sim: &mut Sim, choices: &[(u8, u8)], mut look: impl FnMut(&mut Sim, &[Op])) -> Vec<Op> {
    let mut ops = Vec::new();
    for (choice, nth) in choices.iter().zip(0..) {
        look(sim, &ops);
        if sim.outcome.is_some() {
            break;
        }
        let Some(op) = sim.choose(*choice, nth) else { continue };
        // Two deadlines at one time are distinguished by what the host does not know.
        if sim.act(&op).is_some() {
            ops.push(op);
        }
    }
    look(sim, &ops);
    ops
}

fn has_begun(sim: &Sim) -> bool {
    sim.engine.status() != Status::Created
}

/// Recovers the run from bytes and brings every handler that was at work back to where it was, in an order of chance.
fn recovered(before: &Sim, order: Order, chance: usize) -> Sim {
    let mut sim = before.restored(order, false).expect("what was written can be read");
    sim.check();
    let description = before.description();
    let restored = sim.description();
    assert_eq!(description[1..], restored[1..], "what was restored is what was captured");
    sim.resume();
    sim.check();
    let aims: BTreeMap<u32, Position> = before.fibers.iter().map(|(birth, fiber)| (*birth, fiber.position())).collect();
    assert!(sim.fibers.keys().eq(aims.keys()), "the handlers that were at work are at work again, and no others");
    let mut chance = chance;
    loop {
        let behind = |birth: &u32| {
            let position = sim.fibers[birth].position();
            let aim = &aims[birth];
            (position.at, position.is_asking, position.has_asked) != (aim.at, aim.is_asking, aim.has_asked)
        };
        let behind: Vec<u32> = aims.keys().copied().filter(behind).collect();
        if behind.is_empty() {
            break;
        }
        chance = chance.wrapping_mul(31).wrapping_add(7);
        let birth = behind[chance % behind.len()];
        sim.perform(birth);
        assert!(sim.fibers.contains_key(&birth), "it was at work at this point");
        sim.check();
    }
    for (birth, fiber) in &mut sim.fibers {
        // The deadline of an attempt that runs again begins anew; that it was over is what the host knew.
        fiber.timed_out = aims[birth].timed_out;
    }
    let positions: BTreeMap<_, _> = sim.fibers.iter().map(|(birth, fiber)| (*birth, fiber.position())).collect();
    assert_eq!(positions, aims, "a handler gets the same answers again");
    assert_eq!(sim.description(), description, "everything is where it was");
    assert_eq!((&sim.stream, &sim.effects, sim.births), (&before.stream, &before.effects, before.births));
    assert_eq!(sim.written, before.written, "what was written is reset and written again");
    sim
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// A run is captured before every tick, recovered from bytes over a graph that was built in another order, and its handlers run again
    /// from their beginning. Then it is the same run: what happened to the first one, happens to it with the same results.
    #[test]
    fn restoring_a_run_changes_nothing(plan in blueprints(), choices in choices(), every in 1..4usize) {
        let mut straight = Sim::new(&plan);
        let mut lives: Vec<(usize, Sim)> = Vec::new();
        let ops = play(&mut straight, &choices, |sim, ops| {
            if has_begun(sim) && sim.outcome.is_none() && ops.len() % every == 0 {
                lives.push((ops.len(), recovered(sim, Order::Mixed, ops.len())));
            }
        });
        let end = story(&straight);
        'lives: for (done, mut sim) in lives {
            for op in &ops[done..] {
                if sim.act(op).is_none() {
                    continue 'lives;
                }
            }
            prop_assert_eq!(&story(&sim), &end);
        }
    }

    /// What was captured is what is restored, whichever way the graph was built; taking a snapshot changes nothing.
    #[test]
    fn a_restored_run_has_the_same_image(plan in blueprints(), choices in choices()) {
        play(&mut Sim::new(&plan), &choices, |sim, _| {
            let before = sim.engine.state().clone();
            let image = image(sim);
            assert_eq!(encode_image(&image), encode_image(&sim.engine.capture(Millis(sim.now)).image));
            assert!(*sim.engine.state() == before);
            if image.condition == Condition::Completed {
                assert_eq!(sim.restored(Order::Given, false).err(), Some(Code::RunEnded));
                return;
            }
            let again = sim.restored(Order::Given, false).expect("what was written can be read");
            again.check();
            let mut restored = self::image(&again);
            restored.condition = image.condition;
            if image.condition == Condition::TimedOut {
                // Its time was up, so it is given the whole of it again.
                assert_eq!(restored.deadline, plan.options.timeout.map(|timeout| image.now + timeout.0));
                restored.deadline = None;
            }
            assert_eq!(restored, image);
            let reversed = sim.restored(Order::Reversed, false).expect("what was written can be read");
            assert_eq!(reversed.description()[1..], again.description()[1..]);
        });
    }

    /// A journal leads to every state that the run was in, byte for byte; so does that of a run which was recovered from a snapshot.
    #[test]
    fn a_journal_leads_to_every_state(plan in blueprints(), choices in choices(), cut in any::<u8>(), fresh: bool) {
        let at = cut as usize % (choices.len() + 1);
        let mut sim = Sim::new(&plan).with_journal();
        let mut record = Record::default();
        play(&mut sim, &choices[..at], |sim, _| record.look(sim));
        record.check(&plan, Order::Given);
        if matches!(sim.outcome, Some(Outcome::Completed(_))) {
            return Ok(());
        }
        let mut sim = sim.restored(Order::Mixed, fresh).expect("what was written can be read");
        let mut record = Record::default();
        record.look(&mut sim);
        sim.resume();
        go_on(&mut sim, &choices[at..], |sim, _| record.look(sim));
        record.check(&plan, Order::Mixed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// The replay of a journal has the records of the run, also when that was recovered from a snapshot.
    #[test]
    fn a_journal_has_the_records_of_the_run(plan in blueprints(), choices in choices(), cut in any::<u8>()) {
        let at = cut as usize % (choices.len() + 1);
        let mut sim = Sim::new(&plan).with_journal();
        sim.engine.trace(true);
        play(&mut sim, &choices[..at], |_, _| {});
        check_records(&mut sim, &plan, Order::Given);
        if matches!(sim.outcome, Some(Outcome::Completed(_))) {
            return Ok(());
        }
        let mut sim = sim.restored(Order::Mixed, false).expect("what was written can be read");
        sim.engine.trace(true);
        sim.resume();
        go_on(&mut sim, &choices[at..], |_, _| {});
        check_records(&mut sim, &plan, Order::Mixed);
    }
}

fn check_records(sim: &mut Sim, plan: &Blueprint, order: Order) {
    let journal = sim.journal.as_mut().expect("a journal is kept").take();
    let mut replay = Replay::new(plan.build(order).graph, journal).expect("it begins as a journal");
    replay.engine.trace(true);
    let mut records = Vec::new();
    while let Passed::Tick(_) = replay.advance().expect("nothing is wrong with it") {
        records.extend(replay.engine.drain().filter_map(|command| match command {
            Command::Trace(trace) => Some(trace),
            _ => None,
        }));
    }
    assert!(!records.is_empty());
    assert_eq!(records, sim.traces);
}

/// How a run ended and what was seen of it: everything that was published and written, by whom in which order, and what must happen once.
#[derive(Clone, Debug, PartialEq)]
struct End {
    outcome: Option<&'static str>,
    result: Option<String>,
    published: BTreeMap<String, Vec<String>>,
    written: BTreeMap<String, Vec<Vec<String>>>,
    effects: BTreeMap<String, u32>,
}

fn end(sim: &Sim) -> End {
    let (published, written) = (sim.by_sender.clone(), sim.written.clone());
    End { outcome: outcome(sim), result: sim.result.clone(), published, written, effects: sim.effects.clone() }
}

proptest! {
    // A case is as many runs as the run has ticks.
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases / 8,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Where the outcome does not depend on who is quicker, it does not depend either on how often the run was recovered from bytes, although handlers
    /// do all their work again and the outside goes on sending meanwhile.
    #[test]
    fn any_number_of_lives_comes_to_the_same_end(
        (plan, outside) in certain(),
        cuts in proptest::collection::vec(0..40u64, 1..6),
        chance in any::<u64>(),
    ) {
        let begun = || {
            let mut sim = Sim::new(&plan);
            sim.begin();
            sim
        };
        let mut straight = begun();
        straight.live(&outside, u64::MAX, chance);
        let whole = end(&straight);
        // Twice, with one interruption at each tick in turn.
        for cut in 1..straight.ticks {
            let mut sim = begun();
            sim.live(&outside, cut, chance);
            let mut sim = sim.restored(Order::Reversed, false).expect("what was written can be read");
            sim.resume();
            sim.live(&outside, u64::MAX, chance ^ cut);
            prop_assert_eq!(end(&sim), whole.clone(), "interrupted after {} ticks", cut);
        }
        // Often.
        let mut sim = begun();
        for (cut, order) in cuts.iter().zip([Order::Mixed, Order::Given, Order::Reversed].into_iter().cycle()) {
            sim.live(&outside, *cut, chance ^ cut);
            sim.check();
            if sim.outcome.is_some() {
                break;
            }
            sim = sim.restored(order, false).expect("what was written can be read");
            sim.resume();
        }
        sim.live(&outside, u64::MAX, chance);
        prop_assert_eq!(end(&sim), whole);
    }
}

fn image(sim: &Sim) -> Image {
    sim.engine.capture(Millis(sim.now)).image
}

/// A journal in pieces, and the states that the run was in when each was taken.
#[derive(Default)]
struct Record {
    pieces: Vec<Vec<u8>>,
    states: BTreeMap<u64, Vec<u8>>,
}

impl Record {
    fn look(&mut self, sim: &mut Sim) {
        let image = image(sim);
        self.states.insert(image.ticks, encode_image(&image));
        self.pieces.push(sim.journal.as_mut().expect("a journal is kept").take());
    }

    fn check(mut self, plan: &Blueprint, order: Order) {
        let mut replay = Replay::new(plan.build(order).graph, self.pieces.concat()).expect("it begins as a journal");
        loop {
            let image = replay.engine.capture(replay.now).image;
            if let Some(state) = self.states.remove(&image.ticks) {
                assert!(state == encode_image(&image), "after {} ticks: {image:?}", image.ticks);
            }
            match replay.advance().expect("nothing is wrong with it") {
                Passed::End => break,
                Passed::Tick(_) => drop(replay.engine.drain()),
                Passed::Note(_) => unreachable!("none was written"),
            }
        }
        assert!(self.states.is_empty(), "the replay never came to {:?}", self.states.keys());
    }
}
