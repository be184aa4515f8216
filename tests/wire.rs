//! The bytes are those of `postcard`: its crate reads what is written here, from nothing but the declarations below, which say the
//! same as `docs/snapshot-format.md`, and writes the same bytes again.
// The declarations are only read and shown.
#![allow(dead_code)]

mod engine_kit;
#[path = "engine_kit/random.rs"]
mod random;
mod snapshot_kit;

use std::fmt::Debug;

use proptest::collection::vec;
use proptest::prelude::*;
use random::nonsense;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use snapshot_kit::{Sample, Sim, forge, mutate, samples};
use stepstream::engine::{self, Engine};
use stepstream::snapshot::container::{decode_image, encode_image};
use stepstream::snapshot::header::VERSION;
use stepstream::snapshot::journal::{Journal, Reader};

macro_rules! declare {
    ($($item:item)*) => { $(#[derive(Debug, Serialize, Deserialize)] $item)* };
}

declare! {
    struct Image {
        condition: Condition,
        ticks: u64,
        now: u64,
        seed: u64,
        deadline: Option<u64>,
        arrivals: u64,
        invoked: u64,
        slots: u32,
        types: Vec<String>,
        steps: Vec<String>,
        invocations: Vec<InvocationImage>,
        joins: Vec<JoinImage>,
        kept: Vec<KeptImage>,
        collections: Vec<CollectionImage>,
        groups: Vec<GroupImage>,
        fanned: Vec<u32>,
        buffers: Vec<BufferImage>,
        failures: Vec<FailureImage>,
    }

    enum Condition { Created, Running, Waiting, Completed, StepFailed, TimedOut, Stalled, LimitReached, Cancelled }

    struct EventImage { ty: u32, slot: u32, recoveries: u32 }

    struct InvocationImage {
        step: u32,
        order: u64,
        running: bool,
        backoff: Option<u64>,
        attempt: u32,
        began: u64,
        inputs: Vec<EventImage>,
        log: Vec<EntryImage>,
        once: Vec<(String, u32)>,
        sent: Vec<SentImage>,
        wrote: bool,
        group: Option<u32>,
        list: Option<u32>,
    }

    struct EntryImage { request: RequestImage, answer: AnswerImage, published: bool }

    enum RequestImage { Event { ty: u32, id: Option<String> }, Sleep, Collect }

    enum AnswerImage {
        Vacant,
        Pending { rank: u32, deadline: Option<u64>, predicated: bool },
        Received(EventImage),
        Elapsed,
        Collected(Option<Vec<EventImage>>),
        Withdrawn,
    }

    struct SentImage { ty: u32, count: u32 }

    struct JoinImage { step: u32, set: Vec<Option<KeptImage>>, later: Vec<KeptImage>, group: Option<u32> }

    struct GroupImage { parent: Option<u32>, source: u32, recoveries: u32, gathered: Vec<GatheredImage> }

    struct GatheredImage { step: u32, released: bool, events: Vec<EventImage> }

    struct KeptImage { event: EventImage, order: u64 }

    struct CollectionImage { step: u32, expected: Vec<u32>, held: Vec<KeptImage> }

    struct BufferImage { buffer: String, collection: CollectionImage }

    struct FailureImage { invocation: u32, event: EventImage }

    enum Record {
        Begin {
            seed: u64,
            timeout: Option<u64>,
            steps_limit: u64,
            kept_limit: u32,
            steps: Vec<String>,
            image: Option<Bytes>,
        },
        Type { name: String, parent: Option<u32> },
        Tick { now: u64, tick: Tick },
        Note(Bytes),
    }

    struct Bytes(Vec<u8>);

    enum Tick {
        Start { ty: EventTypeId, slot: Slot },
        Send {
            from: Option<InvocationId>,
            ty: EventTypeId,
            slot: Slot,
            target: Option<StepId>,
            matches: Vec<WaitId>,
        },
        Write { from: Option<InvocationId>, ty: EventTypeId, slot: Slot },
        Complete { invocation: InvocationId, output: Option<(EventTypeId, Slot)>, matches: Vec<WaitId> },
        Fail { invocation: InvocationId, ty: EventTypeId, slot: Slot, verdict: Verdict },
        Wait {
            invocation: InvocationId,
            ty: EventTypeId,
            id: Option<String>,
            timeout: Option<Millis>,
            predicated: bool,
            claim: Option<Slot>,
        },
        Sleep { invocation: InvocationId, delay: Millis },
        Collect { invocation: InvocationId, ty: EventTypeId, slot: Slot, expected: Vec<EventTypeId> },
        Block { invocation: InvocationId },
        Unblock { invocation: InvocationId },
        Timer { key: TimerKey },
        Cancel,
        Once { invocation: InvocationId, key: String, slot: Slot },
        Resume,
        Withdraw { invocation: InvocationId, wait: WaitId },
        Ask {
            invocation: InvocationId,
            ty: EventTypeId,
            id: Option<String>,
            timeout: Option<Millis>,
            predicated: bool,
            claim: Option<Slot>,
            question: EventTypeId,
            slot: Slot,
        },
        Doze { invocation: InvocationId },
        Rouse { invocation: InvocationId },
        Answer { wait: WaitId, ty: EventTypeId, slot: Slot },
        CompleteList {
            invocation: InvocationId,
            outputs: Vec<(EventTypeId, Slot)>,
            matches: Vec<(u32, WaitId)>,
        },
        CollectInto {
            invocation: InvocationId,
            ty: EventTypeId,
            slot: Slot,
            expected: Vec<EventTypeId>,
            buffer: String,
        },
    }

    enum Verdict { Policy, GiveUp, Retry(Millis) }

    struct EventTypeId(u32);
    struct StepId(u32);
    struct Slot(u32);
    struct WaitId(u32);
    struct TimerKey(u32);
    struct InvocationId { index: u32, generation: u32 }
    struct Millis(u64);
}

/// Reads the bytes as the declaration says, and compares what they are with what they should be.
fn check<Declared: DeserializeOwned + Serialize + Debug>(bytes: &[u8], expected: &impl Debug) {
    let read: Declared = postcard::from_bytes(bytes).expect("postcard can read it");
    assert_eq!(format!("{read:?}"), format!("{expected:?}"));
    assert_eq!(postcard::to_allocvec(&read).expect("postcard can write it"), bytes);
}

/// The records of a journal, as bytes and as they are read here.
fn check_journal(journal: &[u8]) {
    let mut reader = Reader::new(journal).expect("a header");
    for bytes in forge::records(journal) {
        let record = reader.read().expect("a good record").expect("not the end");
        check::<Record>(&bytes, &record);
    }
    assert!(reader.read().expect("nothing is left").is_none());
}

#[test]
fn samples_are_read_by_postcard() {
    for Sample { mut sim, .. } in samples() {
        let image = sim.engine.capture(engine::Millis(sim.now)).image;
        check::<Image>(&encode_image(&image), &image);
        check_journal(&sim.journal.as_mut().expect("kept").take());
    }
}

#[test]
fn a_note_is_a_list_of_bytes() {
    let sample = samples().swap_remove(0);
    let mut journal = Journal::new(&Sim::new(&sample.plan).engine, sample.plan.options, None);
    journal.note((0..=255).collect());
    journal.note(Vec::new());
    check_journal(&journal.take());
}

#[test]
fn a_number_has_one_form() {
    let image = engine::Image::completed();
    let bytes = encode_image(&image);
    assert_eq!(decode_image(&bytes, VERSION).as_ref(), Ok(&image));
    // An image ends with the length of a list, here 0, which may not be written in two bytes.
    let mut longer = bytes.clone();
    longer.splice(bytes.len() - 1.., [0x80, 0]);
    assert!(decode_image(&longer, VERSION).is_err());
    assert!(decode_image(&[&bytes[..], &[0]].concat(), VERSION).is_err(), "nothing may be left over");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_image_is_read_by_postcard(
        which in any::<u8>(),
        changes in vec((any::<u8>(), any::<u8>(), prop_oneof![0..300u64, any::<u64>()]), 0..12),
    ) {
        let samples = samples();
        let sim = &samples[which as usize % samples.len()].sim;
        let mut image = sim.engine.capture(engine::Millis(sim.now)).image;
        for change in changes {
            mutate(&mut image, change);
        }
        let bytes = encode_image(&image);
        check::<Image>(&bytes, &image);
        prop_assert_eq!(decode_image(&bytes, VERSION), Ok(image));
    }

    #[test]
    fn any_tick_is_read_by_postcard(ticks in vec((nonsense(), any::<u64>()), 0..20)) {
        let sample = samples().swap_remove(0);
        let engine: &Engine = &sample.sim.engine;
        let mut journal = Journal::new(engine, sample.plan.options, None);
        for (tick, now) in ticks {
            journal.tick(tick, engine::Millis(now));
        }
        check_journal(&journal.take());
    }
}
