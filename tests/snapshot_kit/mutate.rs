//! Images that contradict themselves: a sample with something changed that no run would have written.

use stepstream::engine::{
    AnswerImage, BufferImage, CollectionImage, Condition, EntryImage, EventImage, FailureImage, Image, InvocationImage,
    JoinImage, KeptImage, RequestImage, SentImage,
};

/// What to change, where, and to what.
pub type Change = (u8, u8, u64);

fn nth<T>(list: &mut [T], at: u8) -> Option<&mut T> {
    let length = list.len().max(1);
    list.get_mut(at as usize % length)
}

/// Takes a member out, doubles it, or changes its place.
fn shuffle<T: Clone>(list: &mut Vec<T>, at: u8, value: u64) {
    if list.is_empty() {
        return;
    }
    let (at, to) = (at as usize % list.len(), value as usize % list.len());
    match value % 3 {
        0 => drop(list.remove(at)),
        1 => list.insert(to, list[at].clone()),
        _ => list.swap(at, to),
    }
}

fn event(at: u8, value: u64) -> EventImage {
    EventImage { ty: u32::from(at % 4), slot: value as u32, recoveries: 0 }
}

fn kept(image: &mut Image, at: u8) -> Option<&mut KeptImage> {
    let joins = image.joins.iter_mut().flat_map(|join| join.set.iter_mut().flatten().chain(&mut join.later));
    let held = image.collections.iter_mut().flat_map(|collection| &mut collection.held);
    let mut all: Vec<_> = joins.chain(&mut image.kept).chain(held).collect();
    if all.is_empty() {
        return None;
    }
    let at = at as usize % all.len();
    Some(all.swap_remove(at))
}

fn entry(image: &mut Image, at: u8) -> Option<&mut EntryImage> {
    let mut all: Vec<_> = image.invocations.iter_mut().flat_map(|invocation| &mut invocation.log).collect();
    if all.is_empty() {
        return None;
    }
    let at = at as usize % all.len();
    Some(all.swap_remove(at))
}

fn condition(value: u64) -> Condition {
    use Condition::{Cancelled, Completed, Created, LimitReached, Running, Stalled, StepFailed, TimedOut, Waiting};
    let all = [Created, Running, Waiting, Completed, StepFailed, TimedOut, Stalled, LimitReached, Cancelled];
    all[value as usize % all.len()]
}

pub fn mutate(image: &mut Image, (kind, at, value): Change) {
    // Nothing to change is as good as a change.
    let _ = try_mutate(image, kind, at, value);
}

fn try_mutate(image: &mut Image, kind: u8, at: u8, value: u64) -> Option<()> {
    let number = value as u32;
    match kind % 58 {
        0 => image.condition = condition(value),
        1 => image.ticks = value,
        2 => image.now = value,
        3 => image.seed = value,
        4 => image.deadline = at.is_multiple_of(2).then_some(value),
        5 => image.arrivals = value,
        6 => image.invoked = value,
        7 => image.slots = number,
        8 => shuffle(&mut image.types, at, value),
        9 => *nth(&mut image.types, at)? = ["e0", "e1", "", "#0", "start", "nothing"][value as usize % 6].into(),
        10 => shuffle(&mut image.steps, at, value),
        11 => *nth(&mut image.steps, at)? = ["s0", "s1", "", "#0", "s2", "nothing"][value as usize % 6].into(),
        12 => shuffle(&mut image.invocations, at, value),
        13 => shuffle(&mut image.joins, at, value),
        14 => shuffle(&mut image.kept, at, value),
        15 => shuffle(&mut image.collections, at, value),
        16 => nth(&mut image.invocations, at)?.step = number,
        17 => nth(&mut image.invocations, at)?.order = value,
        18 => {
            let invocation = nth(&mut image.invocations, at)?;
            invocation.running = !invocation.running;
        }
        19 => nth(&mut image.invocations, at)?.backoff = Some(value),
        20 => nth(&mut image.invocations, at)?.attempt = number,
        21 => nth(&mut image.invocations, at)?.began = value,
        22 => shuffle(&mut nth(&mut image.invocations, at)?.inputs, at, value),
        23 => *nth(&mut nth(&mut image.invocations, at)?.inputs, at)? = event(at, value),
        24 => shuffle(&mut nth(&mut image.invocations, at)?.log, at, value),
        25 => entry(image, at)?.answer = answer(at, value),
        26 => entry(image, at)?.request = request(at, value),
        27 => {
            let published = value.is_multiple_of(5);
            let entry = EntryImage { request: request(at, value), answer: answer(at / 4, value), published };
            nth(&mut image.invocations, at)?.log.push(entry);
        }
        28 => nth(&mut image.invocations, at)?.once.push((format!("key {}", at % 2), number)),
        29 => shuffle(&mut nth(&mut image.invocations, at)?.once, at, value),
        30 => {
            let sent = SentImage { ty: u32::from(at % 4), count: number };
            nth(&mut image.invocations, at)?.sent.push(sent);
        }
        31 => kept(image, at)?.event = event(at, value),
        32 => kept(image, at)?.order = value,
        33 => shuffle(&mut nth(&mut image.joins, at)?.set, at, value),
        34 => shuffle(&mut nth(&mut image.joins, at)?.later, at, value),
        35 => *nth(&mut nth(&mut image.joins, at)?.set, value as u8)? = None,
        36 => {
            let kept = KeptImage { event: event(at, value), order: value };
            image.joins.push(JoinImage {
                step: u32::from(at % 3),
                set: vec![None, Some(kept)],
                later: vec![kept],
                group: None,
            });
        }
        37 => image.kept.push(KeptImage { event: event(at, value), order: u64::from(at % 3) }),
        38 => {
            let held = vec![KeptImage { event: event(at, value), order: 0 }];
            image.collections.push(CollectionImage { step: u32::from(at % 3), expected: vec![number % 4; 2], held });
        }
        39 => {
            let invocation = nth(&mut image.invocations, at)?;
            invocation.wrote = !invocation.wrote;
        }
        40 => {
            let entry = entry(image, at)?;
            entry.published = !entry.published;
        }
        41 => shuffle(&mut image.groups, at, value),
        42 => nth(&mut image.groups, at)?.parent = (!value.is_multiple_of(3)).then_some(number),
        43 => nth(&mut image.groups, at)?.source = number,
        44 => shuffle(&mut nth(&mut image.groups, at)?.gathered, at, value),
        45 => {
            let gathered = nth(&mut nth(&mut image.groups, at)?.gathered, at / 4)?;
            match value % 4 {
                0 => gathered.released = !gathered.released,
                1 => gathered.step = number,
                2 => gathered.events.push(event(at, value)),
                _ => shuffle(&mut gathered.events, at, value),
            }
        }
        46 => nth(&mut image.invocations, at)?.group = (!value.is_multiple_of(3)).then_some(number % 5),
        47 => nth(&mut image.invocations, at)?.list = (!value.is_multiple_of(3)).then_some(number),
        48 => nth(&mut image.joins, at)?.group = (!value.is_multiple_of(3)).then_some(number % 5),
        49 => image.fanned.push(number),
        50 => {
            let again = image.joins.first().cloned()?;
            image.joins.push(JoinImage { group: Some(number % 3), ..again });
        }
        51 => {
            let held = vec![KeptImage { event: event(at, value), order: 0 }];
            let collection = CollectionImage { step: u32::from(at % 3), expected: vec![number % 4; 2], held };
            image.buffers.push(BufferImage { buffer: "b".repeat(usize::from(at % 3)), collection });
        }
        52 => {
            let BufferImage { buffer, .. } = nth(&mut image.buffers, at)?;
            *buffer = ["", "a", "b"][usize::from(at % 3)].into();
        }
        53 => nth(&mut image.buffers, at)?.collection.step = number,
        54 => image.failures.push(FailureImage { invocation: u32::from(at % 4), event: event(at, value) }),
        55 => nth(&mut image.failures, at)?.invocation = number,
        56 => nth(&mut image.failures, at)?.event = event(at, value),
        _ => {
            let again = image.invocations.first().cloned()?;
            image.invocations.push(InvocationImage { order: value, running: at > 99, ..again });
        }
    }
    Some(())
}

fn request(at: u8, value: u64) -> RequestImage {
    match at % 4 {
        0 => RequestImage::Sleep,
        1 => RequestImage::Collect,
        _ => RequestImage::Event { ty: value as u32, id: (at > 99).then(|| "wait 0".into()) },
    }
}

fn answer(at: u8, value: u64) -> AnswerImage {
    let deadline = at.is_multiple_of(2).then_some(value);
    match at % 7 {
        6 => AnswerImage::Withdrawn,
        0 => AnswerImage::Vacant,
        1 | 2 => AnswerImage::Pending { rank: value as u32, deadline, predicated: at > 99 },
        3 => AnswerImage::Received(event(at / 6, value)),
        4 => AnswerImage::Elapsed,
        _ => AnswerImage::Collected((at > 99).then(|| vec![event(at / 6, value)])),
    }
}
