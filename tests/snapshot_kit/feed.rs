//! What a fuzzer is fed with, and how: the checksums are made to fit, so that it gets past them, and what is accepted goes on as a run.
//!
//! An input begins with two bytes: which of the samples' workflows it is for, and what happens to the run afterwards.

use stepstream::engine::{Engine, RestoreOptions};
use stepstream::snapshot::container;
use stepstream::snapshot::replay::{Passed, Replay, names};

use super::forge::{self, SECTIONS};
use super::{Blueprint, Order, Rough, samples};

/// How much happens to a run that was accepted.
const TICKS: usize = 40;

fn plan(which: u8) -> Blueprint {
    thread_local! {
        static PLANS: Vec<Blueprint> = samples().into_iter().map(|sample| sample.plan).collect();
    }
    PLANS.with(|plans| plans[which as usize % plans.len()].clone())
}

/// A snapshot, as it is and with a checksum that fits. Returns whether it was a run.
pub fn snapshot(input: &[u8]) -> bool {
    let Some((&[which, chance], bytes)) = input.split_first_chunk() else { return false };
    let _ = container::read(bytes);
    let mut bytes = bytes.to_vec();
    let Some(end) = bytes.len().checked_sub(8).filter(|end| *end >= SECTIONS) else { return false };
    // The lengths too, as far as they can be made to.
    let image = u32::from_le_bytes(bytes[24..28].try_into().expect("four"));
    if let Some(host) = ((end - SECTIONS) as u32).checked_sub(image) {
        bytes[28..32].copy_from_slice(&host.to_le_bytes());
    }
    let sum = forge::fnv(&bytes[..end]);
    bytes[end..].copy_from_slice(&sum.to_le_bytes());
    let Ok(snapshot) = container::read(&bytes) else { return false };
    let plan = plan(which);
    let how = RestoreOptions { options: plan.options, fresh_timeout: chance > 127 };
    let Ok(engine) = Engine::restore_alone(plan.build(Order::Given).graph, &snapshot.image, how) else { return false };
    Rough::new(engine, snapshot.image.now, u64::from(chance)).suffer(TICKS);
    true
}

/// A journal, as it is and with checksums that fit. Returns whether all of it could be replayed.
pub fn journal(input: &[u8]) -> bool {
    let Some((&[which, _], bytes)) = input.split_first_chunk() else { return false };
    let _ = names(bytes);
    let plan = plan(which);
    let Some(bytes) = forge::repaired(bytes, plan.build(Order::Given).graph.borrow().fingerprint()) else {
        return false;
    };
    let Ok(mut replay) = Replay::new(plan.build(Order::Given).graph, bytes) else { return false };
    loop {
        match replay.advance() {
            Ok(Passed::End) => return true,
            Ok(_) => drop(replay.engine.drain()),
            Err(_) => return false,
        }
        let state = replay.engine.state();
        assert!(state.recount().len() <= state.counts().len(), "nothing is referred to that is not counted");
    }
}

/// What a fuzzer begins with: the samples, as names and inputs for [`snapshot`] and [`journal`].
pub fn seeds() -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
    let seed = |(mut sample, which): (super::Sample, u8)| {
        let first = [which, 7];
        let journal = sample.sim.journal.as_mut().expect("kept").take();
        (sample.name, [&first[..], &sample.sim.snapshot()].concat(), [&first[..], &journal].concat())
    };
    samples().into_iter().zip(0..).map(seed).collect()
}
