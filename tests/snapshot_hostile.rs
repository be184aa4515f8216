//! Snapshots and journals that are cut, damaged, contradictory or made to do harm: each is refused with a code, soon and without taking
//! memory, or it is a run like any other.
#![allow(unsafe_code)] // an allocator cannot be written without it; this one only counts and passes on

mod processor_time;
mod snapshot_kit;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use snapshot_kit::{Blueprint, Order, Rough, Sample, forge, mutate, samples};
use stepstream::engine::{Engine, Image, Millis, RestoreOptions};
use stepstream::error::Code;
use stepstream::snapshot::container;
use stepstream::snapshot::header::VERSION;
use stepstream::snapshot::replay::{Passed, Replay};

thread_local! {
    // Per thread, because the tests of this file run side by side.
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

struct Counting;

impl Counting {
    fn count(change: isize) {
        let held = HELD.get() + change;
        HELD.set(held);
        PEAK.set(PEAK.get().max(held));
    }
}

// SAFETY: every call goes to the system's allocator with the arguments it came with.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::count(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        Self::count(-(layout.size() as isize));
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How much memory may be held for each byte of input, beside a fixed amount. A type's name of one byte, or none, is a string of 24.
const PER_BYTE: usize = 128;
const FIXED: usize = 64 << 10;
/// How much processor time anything may take. It takes a millisecond; what believes a count of 2^32 takes seconds.
const LIMIT: Duration = Duration::from_millis(250);

/// Does something with so many bytes of input, within the limits of memory and time.
fn bounded<T>(input: usize, work: impl Fn() -> T) -> T {
    let mut quickest = Duration::MAX;
    // The caches may be cold once or twice.
    for _ in 0..5 {
        let ((result, peak), cost) = processor_time::cost_of(|| {
            let before = HELD.get();
            PEAK.set(before);
            let result = work();
            (result, (PEAK.get() - before) as usize)
        });
        assert!(peak <= PER_BYTE * input + FIXED, "{peak} bytes were held for an input of {input}");
        quickest = quickest.min(cost);
        if quickest < LIMIT {
            return result;
        }
    }
    panic!("an input of {input} bytes takes {quickest:?}");
}

fn how(plan: &Blueprint) -> RestoreOptions {
    RestoreOptions { options: plan.options, fresh_timeout: false }
}

/// Opens a snapshot and makes a run of it.
fn open(plan: &Blueprint, bytes: &[u8]) -> Result<(Engine, u64), Code> {
    let graph = plan.build(Order::Given).graph;
    bounded(bytes.len(), || {
        let image = container::read(bytes)?.image;
        let engine = Engine::restore_alone(graph.clone(), &image, how(plan)).map_err(|refusal| refusal.code)?;
        Ok((engine, image.now))
    })
}

/// Opens a snapshot, and if that is a run, lets things happen to it.
fn survive(plan: &Blueprint, bytes: &[u8], chance: u64) -> Result<(), Code> {
    let (engine, now) = open(plan, bytes)?;
    Rough::new(engine, now, chance).suffer(60);
    Ok(())
}

/// What only damage can lead to.
const DAMAGE: [Code; 4] = [Code::SnapshotFormat, Code::SnapshotVersion, Code::SnapshotTruncated, Code::SnapshotAltered];

/// Everything that an image can be refused with.
const REFUSALS: [Code; 5] =
    [Code::SnapshotInvalid, Code::RunEnded, Code::StepMissing, Code::EventMissing, Code::StepChanged];

#[test]
fn a_snapshot_that_was_cut_is_refused_wherever_it_was_cut() {
    for Sample { name, plan, sim } in samples() {
        let bytes = sim.snapshot();
        for length in 0..bytes.len() {
            assert_eq!(open(&plan, &bytes[..length]).err(), Some(Code::SnapshotTruncated), "{name}, {length} bytes");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(open(&plan, &longer).err(), Some(Code::SnapshotAltered));
    }
}

/// The snapshots that the first version of the format has written.
fn first_version() -> impl Iterator<Item = (&'static str, Blueprint, Vec<u8>)> {
    let folder = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1");
    samples().into_iter().filter_map(move |Sample { name, plan, .. }| {
        Some((name, plan, std::fs::read(folder.join(format!("{name}.snapshot"))).ok()?))
    })
}

#[test]
fn a_snapshot_of_the_first_version_that_was_damaged_is_refused() {
    let mut count = 0;
    for (name, plan, bytes) in first_version() {
        count += 1;
        for length in 0..bytes.len() {
            assert_eq!(open(&plan, &bytes[..length]).err(), Some(Code::SnapshotTruncated), "{name}, {length} bytes");
        }
        for at in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= 0x20;
            let refusal = container::read(&bytes).err();
            assert!(refusal.is_some_and(|code| DAMAGE.contains(&code)), "{name}, byte {at}: {refusal:?}");
        }
    }
    assert_eq!(count, 19);
}

#[test]
fn a_snapshot_of_the_first_version_that_was_forged_is_refused_or_makes_a_run() {
    for (name, plan, bytes) in first_version() {
        let (image, host) = forge::sections(&bytes);
        for at in 0..image.len() {
            for change in [1u8, 2, 0x7f, 0x80, 0xff] {
                let mut image = image.to_vec();
                image[at] ^= change;
                let forged = forge::snapshot(&bytes, &image, host);
                if let Err(code) = survive(&plan, &forged, at as u64) {
                    assert!(REFUSALS.contains(&code), "{name}, byte {at} ^ {change}: {code:?}");
                }
            }
        }
        // As the newest version it is something else, and as the newest it is read.
        let mut newest = bytes.clone();
        newest[5] = VERSION;
        let (image, host) = forge::sections(&bytes);
        if let Err(code) = survive(&plan, &forge::snapshot(&newest, image, host), 7) {
            assert!(REFUSALS.contains(&code), "{name}: {code:?}");
        }
    }
}

#[test]
fn a_snapshot_in_which_a_byte_was_changed_is_refused_whichever_it_was() {
    for Sample { name, plan: _, sim } in samples() {
        let mut bytes = sim.snapshot();
        // All changes of the small ones, each bit of the others.
        let small = bytes.len() < 120;
        for at in 0..bytes.len() {
            let original = bytes[at];
            let changes = (1..=255u8).filter(|change| small || change.is_power_of_two());
            for change in changes {
                bytes[at] = original ^ change;
                let refusal = container::read(&bytes).err();
                assert!(refusal.is_some_and(|code| DAMAGE.contains(&code)), "{name}, byte {at}: {refusal:?}");
            }
            bytes[at] = original;
        }
    }
}

#[test]
fn other_bytes_than_a_snapshot_have_errors_of_their_own() {
    let mut sample = samples().swap_remove(1);
    let (bytes, journal) = (sample.sim.snapshot(), sample.sim.journal.as_mut().expect("kept").take());
    let read = |bytes: &[u8]| container::read(bytes).err();
    assert_eq!(read(b"{\"runId\":\"a text that is long enough\"}"), Some(Code::SnapshotFormat));
    assert_eq!(read(&journal), Some(Code::SnapshotFormat));
    let with = |at: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = byte;
        bytes
    };
    assert_eq!(read(&with(4, b'X')), Some(Code::SnapshotFormat));
    assert_eq!(read(&with(5, VERSION + 1)), Some(Code::SnapshotVersion));
    assert_eq!(read(&with(5, 0)), Some(Code::SnapshotFormat));
    assert_eq!(read(&with(6, 1)), Some(Code::SnapshotAltered));
}

#[test]
fn the_sequence_in_the_header_is_that_of_the_run() {
    let sample = samples().swap_remove(1);
    let mut bytes = sample.sim.snapshot();
    bytes[16] += 1;
    let (image, host) = forge::sections(&bytes);
    let forged = forge::snapshot(&bytes, image, host);
    assert_eq!(open(&sample.plan, &forged).err(), Some(Code::SnapshotInvalid));
}

#[test]
fn bytes_changed_behind_a_checksum_that_fits_are_refused_or_make_a_run() {
    let mut accepted = 0;
    for (Sample { plan, sim, .. }, nth) in samples().iter().zip(0..) {
        let bytes = sim.snapshot();
        let (image, host) = forge::sections(&bytes);
        for at in 0..image.len() {
            for change in [1, 2, 3, 0x0f, 0x40, 0x7f, 0x80, 0xff] {
                let mut image = image.to_vec();
                image[at] ^= change;
                // The header has the sequence of an image that was not changed in its ticks.
                match survive(plan, &forge::snapshot(&bytes, &image, host), at as u64 ^ nth) {
                    Ok(()) => accepted += 1,
                    Err(code) => assert!(REFUSALS.contains(&code), "{code:?}"),
                }
            }
        }
    }
    assert!(accepted > 500, "some changes are as good as what was there: {accepted}");
}

/// Numbers that promise more than there is.
fn bombs() -> Vec<Vec<u8>> {
    let varint = |mut number: u64| {
        let mut bytes = Vec::new();
        while number >= 0x80 {
            bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        bytes.push(number as u8);
        bytes
    };
    let mut bombs: Vec<_> = [0x7f, 0xffff, 1 << 31, u64::from(u32::MAX), 1 << 53, u64::MAX].map(varint).to_vec();
    // A number without an end, and one that does not fit into 64 bits.
    bombs.push(vec![0x80; 12]);
    bombs.push([&[0xff; 9][..], &[0x02]].concat());
    bombs
}

#[test]
fn lengths_that_promise_more_than_there_is_allocate_nothing() {
    for (Sample { plan, sim, .. }, nth) in samples().iter().zip(0..) {
        let bytes = sim.snapshot();
        let (image, host) = forge::sections(&bytes);
        for at in 0..image.len() {
            for bomb in bombs() {
                let image = [&image[..at], &bomb, &image[at + 1..]].concat();
                let result = survive(plan, &forge::snapshot(&bytes, &image, host), nth);
                assert!(result.is_ok() || result.is_err_and(|code| REFUSALS.contains(&code)), "{result:?}");
            }
        }
        for field in [24, 28] {
            for length in [0u32, 1, 0x7fff_ffff, u32::MAX] {
                let mut bytes = bytes.clone();
                bytes[field..field + 4].copy_from_slice(&length.to_le_bytes());
                let end = bytes.len() - 8;
                let sum = forge::fnv(&bytes[..end]);
                bytes[end..].copy_from_slice(&sum.to_le_bytes());
                if bytes != sim.snapshot() {
                    assert!(open(plan, &bytes).is_err());
                }
            }
        }
    }
}

#[test]
fn records_that_promise_more_than_there_is_allocate_nothing() {
    for Sample { plan, mut sim, .. } in samples() {
        let journal = sim.journal.as_mut().expect("kept").take();
        let records = forge::records(&journal);
        let graph = plan.build(Order::Given).graph;
        for nth in 0..records.len() {
            for at in 0..records[nth].len() {
                for bomb in bombs() {
                    let mut records = records.clone();
                    records[nth].splice(at..=at, bomb);
                    let bytes = forge::journal(&journal, &records);
                    bounded(bytes.len(), || {
                        let Ok(mut replay) = Replay::new(graph.clone(), bytes.clone()) else { return };
                        while !matches!(replay.advance(), Ok(Passed::End) | Err(_)) {}
                    });
                }
            }
        }
    }
}

/// A snapshot of an image, with a checksum that fits.
fn snapshot_of(image: &Image) -> Vec<u8> {
    container::write(0, image, b"").expect("it is short")
}

/// Images that are large where an engine that is not careful would take long.
fn large(count: u32) -> Vec<(&'static str, Image)> {
    use stepstream::engine::{
        AnswerImage, CollectionImage, Condition, EntryImage, EventImage, InvocationImage, JoinImage, KeptImage,
        RequestImage,
    };
    let blank = || Image {
        condition: Condition::Running,
        ticks: 9,
        arrivals: u64::from(count) + 9,
        types: vec!["start".into(), "e0".into(), "e1".into(), "e2".into()],
        steps: vec!["s0".into(), "s1".into()],
        ..Image::completed()
    };
    let event = |slot| EventImage { ty: 1, slot, recoveries: 0 };
    let kept = |slot| KeptImage { event: event(slot), order: u64::from(count - slot) };
    let at_work = |log| InvocationImage {
        step: 0,
        order: 0,
        running: true,
        backoff: None,
        attempt: 0,
        began: 0,
        inputs: vec![EventImage { ty: 0, slot: 0, recoveries: 0 }],
        log,
        once: vec![],
        sent: vec![],
        wrote: false,
        group: None,
        list: None,
    };
    let waiting = |nth| {
        let request = RequestImage::Event { ty: 1, id: None };
        let answer = AnswerImage::Pending { rank: count - nth, deadline: None, predicated: false };
        EntryImage { request, answer, published: false }
    };
    let collection = |nth: u32| {
        // No two alike, in no order.
        let mixed = nth * 1009 % count;
        let times = [1 + mixed % 16, mixed / 16 % 16, mixed / 256];
        let expected = (1..).zip(times).flat_map(|(ty, times)| vec![ty; times as usize]).collect();
        CollectionImage { step: 1, expected, held: vec![kept(nth)] }
    };
    let types = || Image { types: (0..count).map(|_| "e0".into()).collect(), ..blank() };
    let mut once = at_work(vec![]);
    once.once = (1..count).map(|slot| (String::new(), slot)).collect();
    vec![
        ("types without names", Image { types: vec![String::new(); count as usize], ..blank() }),
        ("types of one name", types()),
        ("steps of one name", Image { steps: vec!["s0".into(); count as usize], ..blank() }),
        ("slots that nothing refers to", Image { slots: u32::MAX, ..blank() }),
        ("invocations", Image { slots: 1, invocations: vec![at_work(vec![]); count as usize], ..blank() }),
        ("open waits", Image { slots: 1, invocations: vec![at_work((0..count).map(waiting).collect())], ..blank() }),
        ("results", Image { slots: count, invocations: vec![once], ..blank() }),
        ("kept events", Image { slots: count, kept: (0..count).map(kept).collect(), ..blank() }),
        ("collections", Image { slots: count, collections: (0..count).map(collection).collect(), ..blank() }),
        (
            "a long collection",
            Image {
                slots: count,
                collections: vec![CollectionImage {
                    step: 1,
                    expected: [vec![1; count as usize], vec![2]].concat(),
                    held: (0..count).map(kept).collect(),
                }],
                ..blank()
            },
        ),
        (
            "a join with many inputs",
            Image {
                joins: vec![JoinImage { step: 1, set: vec![None; count as usize], later: vec![], group: None }],
                ..blank()
            },
        ),
        (
            "a join with much behind it",
            Image {
                slots: count,
                joins: vec![JoinImage {
                    step: 1,
                    set: vec![Some(kept(0)), None],
                    later: (1..count).map(kept).collect(),
                    group: None,
                }],
                ..blank()
            },
        ),
    ]
}

#[test]
fn every_kind_of_contradiction_is_refused_or_makes_a_run() {
    for Sample { plan, sim, .. } in samples() {
        let whole = sim.engine.capture(Millis(sim.now)).image;
        for kind in 0..58 {
            for at in [0, 1, 100] {
                for value in [0, 1, 2, 4, u64::MAX] {
                    let mut image = whole.clone();
                    mutate(&mut image, (kind, at, value));
                    let result = survive(&plan, &snapshot_of(&image), value);
                    assert!(result.is_ok() || result.is_err_and(|code| REFUSALS.contains(&code)), "{result:?}");
                }
            }
        }
    }
}

#[test]
fn large_images_take_no_longer_than_their_size() {
    let plan = &samples()[2].plan;
    for (what, image) in large(2003) {
        let bytes = snapshot_of(&image);
        let result = open(plan, &bytes).map(|_| ());
        assert!(result.is_ok() || result.is_err_and(|code| REFUSALS.contains(&code)), "{what}: {result:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases * 4,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn random_bytes_are_refused(bytes in vec(any::<u8>(), 0..600), sealed in any::<bool>(), head in 0..=24usize) {
        let sample = sample(1);
        let real = sample.sim.snapshot();
        let bytes = if sealed { forge::snapshot(&real, &bytes, b"") } else { [&real[..head], &bytes].concat() };
        let code = open(&sample.plan, &bytes).err();
        prop_assert!(code.is_some_and(|code| DAMAGE.contains(&code) || REFUSALS.contains(&code)), "{:?}", code);
    }

    /// An image that is accepted is a run like any other, however it came about.
    #[test]
    fn contradictions_are_refused_or_make_a_run(
        which in any::<u8>(),
        changes in vec((any::<u8>(), any::<u8>(), values()), 1..4),
        chance in any::<u64>(),
    ) {
        let Sample { plan, sim, .. } = &*sample(which as usize);
        let mut image = sim.engine.capture(Millis(sim.now)).image;
        for change in changes {
            mutate(&mut image, change);
        }
        if let Err(code) = survive(plan, &snapshot_of(&image), chance) {
            prop_assert!(REFUSALS.contains(&code), "{:?}", code);
        }
    }
}

/// One of the samples, which are made once.
fn sample(nth: usize) -> Rc<Sample> {
    thread_local! {
        static SAMPLES: Vec<Rc<Sample>> = samples().into_iter().map(Rc::new).collect();
    }
    SAMPLES.with(|samples| Rc::clone(&samples[nth % samples.len()]))
}

/// Small numbers, which may exist, and the ends of all kinds of number.
fn values() -> impl Strategy<Value = u64> {
    let edges = [u64::from(u32::MAX), u64::from(u32::MAX) + 1, 1 << 53, (1 << 53) + 1, u64::MAX - 1, u64::MAX];
    prop_oneof![6 => 0..8u64, 1 => prop::sample::select(edges.to_vec()), 1 => any::<u64>()]
}

#[test]
fn what_is_no_image_is_not_written() {
    for section in [&b""[..], &[0], &[99, 0], &[0, 0xff]] {
        assert_eq!(container::write_encoded(0, section, b"host"), Err(Code::SnapshotInvalid), "{section:?}");
    }
    let completed = Image::completed();
    let written = container::write_encoded(7, &container::encode_image(&completed), b"host");
    assert_eq!(written, container::write(7, &completed, b"host"));
}
