//! The laws of snapshots, held against random workflows: a run that is taken up from bytes, at any tick, goes on as if nothing had been.
mod snapshot_kit;
// Here and not in the kit, so that the other tests need not be linked with proptest.
#[path = "snapshot_kit/random.rs"]
mod random;

use std::collections::BTreeMap;

use proptest::prelude::*;
use random::{blueprints, choices};
use snapshot_kit::{Op, Order, Position, Sim};
use stepstream::engine::Outcome;

/// What of a run must be the same in every life.
#[derive(Debug, PartialEq)]
struct Story {
    stream: Vec<String>,
    effects: BTreeMap<String, u32>,
    births: u32,
    now: u64,
    outcome: Option<&'static str>,
    result: Option<String>,
    told: Vec<String>,
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
        effects: sim.effects.clone(),
        births: sim.births,
        now: sim.now,
        outcome: outcome(sim),
        result: sim.result.clone(),
        told: sim.told(),
    }
}

/// Does what was chosen, until the run is over or nothing is left to do; `look` sees the run before each time.
fn play<'a>(sim: &mut Sim<'a>, choices: &[(u8, u8)], mut look: impl FnMut(&Sim<'a>, &[Op])) -> Vec<Op> {
    let mut ops = Vec::new();
    sim.begin();
    sim.check();
    for (choice, nth) in choices.iter().zip(0..) {
        look(sim, &ops);
        if sim.outcome.is_some() {
            break;
        }
        let Some(op) = sim.choose(*choice, nth) else { continue };
        // Two deadlines at one time are told apart by what the host does not know.
        if sim.act(&op).is_some() {
            ops.push(op);
        }
    }
    ops
}

/// Takes the run up from bytes and brings every handler that was at work back to where it was, in an order of chance.
fn recovered<'a>(before: &Sim<'a>, order: Order, chance: usize) -> Sim<'a> {
    let mut sim = before.shelved(order, false).expect("what was written can be read");
    sim.check();
    let told = before.told();
    let on_shelf = sim.told();
    assert_eq!(told[1..], on_shelf[1..], "what lies on the shelf is what was put there");
    sim.resume();
    sim.check();
    let aims: BTreeMap<u32, Position> = before.fibers.iter().map(|(birth, fiber)| (*birth, fiber.position())).collect();
    assert!(sim.fibers.keys().eq(aims.keys()), "who was at work is at work again, and nobody else");
    let mut chance = chance;
    loop {
        let behind = |birth: &u32| {
            let position = sim.fibers[birth].position();
            (position.at, position.is_asking) != (aims[birth].at, aims[birth].is_asking)
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
    assert_eq!(positions, aims, "who was told something is told the same again");
    assert_eq!(sim.told(), told, "everything is where it was");
    assert_eq!((&sim.stream, &sim.effects, sim.births), (&before.stream, &before.effects, before.births));
    sim
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// A run is frozen before every tick, taken up from bytes over a graph that was built in another order, and its handlers run again
    /// from their beginning. Then it is the same run: what happened to the first one, happens to it with the same results.
    #[test]
    fn taking_a_run_up_changes_nothing(plan in blueprints(), choices in choices(), every in 1..4usize) {
        let mut straight = Sim::new(&plan);
        let mut lives: Vec<(usize, Sim)> = Vec::new();
        let ops = play(&mut straight, &choices, |sim, ops| {
            if sim.outcome.is_none() && ops.len() % every == 0 {
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
}
