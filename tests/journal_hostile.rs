//! Journals that are cut, damaged, put together wrongly, or full of ticks that never were: each is refused with a code, and what was
//! before the damage can be replayed.
mod engine_kit;
#[allow(dead_code)] // of its strategies, that of nonsensical ticks is wanted
#[path = "engine_kit/random.rs"]
mod random;
mod snapshot_kit;

use std::rc::Rc;

use proptest::collection::vec;
use proptest::prelude::*;
use random::nonsense;
use snapshot_kit::{Blueprint, Order, START, Sample, Sim, forge, samples};
use stepstream::engine::{Engine, EventTypeId, Millis, Slot, Tick};
use stepstream::error::Code;
use stepstream::snapshot::container::encode_image;
use stepstream::snapshot::header::VERSION;
use stepstream::snapshot::journal::Journal;
use stepstream::snapshot::replay::{Passed, Replay, names};

/// Everything that a journal can be refused with.
const REFUSALS: [Code; 10] = [
    Code::SnapshotFormat,
    Code::SnapshotVersion,
    Code::SnapshotTruncated,
    Code::SnapshotAltered,
    Code::SnapshotForeign,
    Code::SnapshotInvalid,
    Code::JournalGap,
    Code::StepMissing,
    Code::EventMissing,
    Code::StepChanged,
];

/// Replays as much as there is; returns how many records' ticks there were, and what stopped it.
fn replayed(plan: &Blueprint, bytes: &[u8]) -> (usize, Result<Engine, Code>) {
    let mut replay = match Replay::new(plan.build(Order::Given).graph, bytes.to_vec()) {
        Ok(replay) => replay,
        Err(code) => return (0, Err(code)),
    };
    for ticks in 0.. {
        match replay.advance() {
            Ok(Passed::End) => return (ticks, Ok(replay.engine)),
            Ok(_) => drop(replay.engine.drain()),
            Err(code) => return (ticks, Err(code)),
        }
        let state = replay.engine.state();
        let held = state.counts().len();
        assert!(state.recount().len() <= held, "nothing is referred to that is not counted");
    }
    unreachable!("a journal has an end")
}

fn refusal(plan: &Blueprint, bytes: &[u8]) -> Option<Code> {
    let refusal = replayed(plan, bytes).1.err();
    // Looking for names alone, no damage goes unnoticed either.
    let by_names = names(bytes).err();
    assert!(
        by_names.is_none() || by_names == refusal || refusal == Some(Code::SnapshotForeign),
        "{by_names:?} {refusal:?}"
    );
    refusal
}

/// The samples, each with its journal; that of a recovered run begins with its image.
fn journals() -> Vec<(Sample, Vec<u8>)> {
    let with_journal = |mut sample: Sample| {
        let bytes = sample.sim.journal.as_mut().expect("kept").take();
        (sample, bytes)
    };
    samples().into_iter().map(with_journal).collect()
}

#[test]
fn every_sample_can_be_replayed() {
    for (Sample { name, plan, sim }, bytes) in journals() {
        let (_, replay) = replayed(&plan, &bytes);
        let engine = replay.unwrap_or_else(|code| panic!("{name}: {code:?}"));
        let image = |engine: &Engine| encode_image(&engine.capture(Millis(sim.now)).image);
        assert_eq!(image(&engine), image(&sim.engine), "{name}");
    }
}

#[test]
fn a_journal_that_was_cut_is_a_shorter_one_or_refused() {
    for (Sample { plan, .. }, bytes) in journals() {
        let (ticks, _) = replayed(&plan, &bytes);
        let mut shorter = 0;
        for length in 0..bytes.len() {
            match replayed(&plan, &bytes[..length]) {
                (fewer, Ok(_)) => {
                    assert!(fewer <= ticks);
                    shorter += 1;
                }
                (_, Err(code)) => assert!(matches!(code, Code::SnapshotTruncated | Code::SnapshotInvalid), "{code:?}"),
            }
        }
        // Between any two records; the first alone is a journal already, and so is the whole.
        assert_eq!(shorter, forge::records(&bytes).len() - 1);
    }
}

#[test]
fn a_journal_in_which_a_byte_was_changed_is_refused_whichever_it_was() {
    for ((Sample { name, plan, .. }, bytes), nth) in journals().into_iter().zip(0..) {
        let mut damaged = bytes.clone();
        for at in 0..bytes.len() {
            // All changes in one of them, each bit in the others.
            for change in (1..=255u8).filter(|change| nth == 0 || change.is_power_of_two()) {
                damaged[at] = bytes[at] ^ change;
                let code = refusal(&plan, &damaged);
                assert!(code.is_some_and(|code| REFUSALS.contains(&code)), "{name}, byte {at}: {code:?}");
            }
            damaged[at] = bytes[at];
        }
    }
}

/// A run that has its journal taken after every tick.
fn increments() -> (Blueprint, Vec<Vec<u8>>) {
    let Sample { plan, .. } = samples().swap_remove(2);
    let mut sim = Sim::new(&plan).with_journal();
    let mut increments = Vec::new();
    let mut take = |sim: &mut Sim| increments.push(sim.journal.as_mut().expect("kept").take());
    take(&mut sim);
    sim.begin();
    take(&mut sim);
    while let Some(birth) = sim.ready().first().copied() {
        sim.perform(birth);
        take(&mut sim);
    }
    increments.retain(|increment| !increment.is_empty());
    (plan, increments)
}

#[test]
fn increments_in_another_order_are_refused() {
    let (plan, increments) = increments();
    let count = increments.len();
    assert!(count > 4 && refusal(&plan, &increments.concat()).is_none());
    for nth in 1..count {
        let mut missing = increments.clone();
        missing.remove(nth);
        let expected = (nth + 1 < count).then_some(Code::JournalGap);
        assert_eq!(refusal(&plan, &missing.concat()), expected, "without increment {nth}; the last one is not missed");
        let mut twice = increments.clone();
        twice.insert(nth, increments[nth].clone());
        assert_eq!(refusal(&plan, &twice.concat()), Some(Code::JournalGap));
        let mut swapped = increments.clone();
        swapped.swap(nth, if nth + 1 < count { nth + 1 } else { nth - 1 });
        let code = refusal(&plan, &swapped.concat());
        assert!(matches!(code, Some(Code::JournalGap | Code::SnapshotFormat)), "{code:?}");
    }
    assert_eq!(refusal(&plan, &increments[1..].concat()), Some(Code::SnapshotFormat));
    let twice = [&increments[..1], &increments].concat().concat();
    assert!(refusal(&plan, &twice).is_some());
}

#[test]
fn records_of_another_run_do_not_fit_in() {
    let (plan, ours) = increments();
    let mut other = plan.clone();
    other.options.seed += 1;
    let mut sim = Sim::new(&other).with_journal();
    let begin = sim.journal.as_mut().expect("kept").take();
    sim.begin();
    let theirs = sim.journal.as_mut().expect("kept").take();
    assert_eq!(refusal(&plan, &[&ours[0][..], &theirs].concat()), Some(Code::SnapshotAltered));
    assert_eq!(refusal(&plan, &[&begin[..], &theirs].concat()), None);
}

#[test]
fn another_workflow_does_not_replay_it() {
    let (plan, increments) = increments();
    let bytes = increments.concat();
    let mut renamed = plan.clone();
    renamed.steps[1].name = Some("renamed");
    assert_eq!(refusal(&renamed, &bytes), Some(Code::SnapshotForeign));
    // The same steps and types under other numbers.
    let replay = Replay::new(plan.build(Order::Reversed).graph, bytes.clone());
    assert_eq!(replay.err(), Some(Code::SnapshotForeign));
    // The same names in another family.
    let mut family = plan.clone();
    family.parents[1] = Some(snapshot_kit::PLAIN);
    assert_eq!(refusal(&family, &bytes), Some(Code::SnapshotForeign));
}

#[test]
fn what_is_newer_and_what_is_no_journal_have_errors_of_their_own() {
    let (plan, increments) = increments();
    let bytes = increments.concat();
    let with = |at: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = byte;
        bytes
    };
    assert_eq!(refusal(&plan, &with(5, VERSION + 1)), Some(Code::SnapshotVersion));
    assert_eq!(refusal(&plan, &with(4, b'S')), Some(Code::SnapshotFormat));
    assert_eq!(refusal(&plan, b"[1, 2, 3]"), Some(Code::SnapshotFormat));
    assert_eq!(refusal(&plan, b""), Some(Code::SnapshotTruncated));
    assert_eq!(refusal(&plan, &bytes[..24]), Some(Code::SnapshotInvalid), "a journal begins with a record");
}

#[test]
fn bytes_changed_behind_checksums_that_fit_are_refused_or_replayed() {
    for (Sample { plan, .. }, bytes) in journals() {
        let records = forge::records(&bytes);
        assert_eq!(forge::journal(&bytes, &records), bytes, "as the specification says");
        for nth in 0..records.len() {
            for at in 0..records[nth].len() {
                for change in [1, 2, 4, 0x7f, 0x80, 0xff] {
                    let mut records = records.clone();
                    records[nth][at] ^= change;
                    let result = replayed(&plan, &forge::journal(&bytes, &records)).1;
                    assert!(
                        result.is_ok() || result.is_err_and(|code| REFUSALS.contains(&code) || code == Code::RunEnded)
                    );
                }
            }
        }
        // What is left out, doubled or in another place, with numbers that hide it.
        for nth in 0..records.len() {
            let mut others = records.clone();
            others.remove(nth);
            let _ = replayed(&plan, &forge::journal(&bytes, &others));
            others.insert(records.len() / 2, records[nth].clone());
            let _ = replayed(&plan, &forge::journal(&bytes, &others));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_are_refused(bytes in vec(any::<u8>(), 0..400), head in 0..60usize, sealed in any::<bool>()) {
        let (Sample { plan, .. }, real) = journals().swap_remove(1);
        let bytes = if sealed { forge::journal(&real, &[bytes]) } else { [&real[..head], &bytes].concat() };
        let code = refusal(&plan, &bytes);
        prop_assert!(code.is_some_and(|code| REFUSALS.contains(&code)), "{:?}", code);
    }

    /// A journal with ticks that no engine has taken in: replay stops at the first that is refused.
    #[test]
    fn ticks_that_never_were_are_refused(ticks in vec((nonsense(), 0..100u64), 0..40), which in any::<u8>(), late in any::<u64>()) {
        let samples = samples();
        let Sample { plan, sim, .. } = &samples[which as usize % samples.len()];
        let engine = Engine::new(Rc::clone(&plan.build(Order::Given).graph), plan.options);
        let image = sim.engine.capture(Millis(sim.now)).image;
        for mut image in [None, Some(image)] {
            let start = Tick::Start { ty: EventTypeId(START as u32), slot: Slot(0) };
            let begin = if image.is_some() { Tick::Resume } else { start };
            let mut journal = Journal::new(&engine, plan.options, image.as_mut());
            journal.tick(begin, Millis(0));
            for (tick, now) in &ticks {
                journal.tick(tick.clone(), Millis(*now));
            }
            journal.tick(Tick::Cancel, Millis(late));
            if let (_, Err(code)) = replayed(plan, &journal.take()) {
                prop_assert!(REFUSALS.contains(&code) || code == Code::RunEnded, "{:?}", code);
            }
        }
    }
}
