//! A description of an image that does not depend on the order in which a graph was built: names for numbers, payloads for slots, everything in
//! the order of age.

use stepstream::engine::{AnswerImage, BufferImage, EventImage, FailureImage, Image, KeptImage, RequestImage};

struct Describer<'a> {
    image: &'a Image,
    payloads: &'a [String],
}

/// What an image says, a line for each thing, without how many ticks there were.
pub fn describe(image: &Image, payloads: &[String]) -> Vec<String> {
    let describer = Describer { image, payloads };
    let Image { condition, now, seed, deadline, arrivals, invoked, slots, .. } = image;
    let mut lines = vec![format!(
        "{condition:?} at {now}, seed {seed}, until {deadline:?}, {arrivals} arrivals, {invoked} invoked, {slots} slots"
    )];
    for at in &image.invocations {
        let step = &image.steps[at.step as usize];
        let inputs: Vec<_> = at.inputs.iter().map(|event| describer.event(event)).collect();
        lines.push(format!(
            "invocation of {step} #{}: running {}, backoff {:?}, attempt {}, began {}, {inputs:?}",
            at.order, at.running, at.backoff, at.attempt, at.began
        ));
        if at.group.is_some() || at.list.is_some() {
            lines.push(format!("  in {}, list after {:?}", describer.group(at.group), at.list));
        }
        if at.wrote {
            lines.push("  has written".into());
        }
        lines.extend(at.log.iter().map(|entry| {
            let request = match &entry.request {
                RequestImage::Event { ty, id } => format!("{} {id:?}", image.types[*ty as usize]),
                other => format!("{other:?}"),
            };
            let asked = if entry.published { "asked with a question" } else { "asked" };
            format!("  {asked} for {request}: {}", describer.answer(&entry.answer))
        }));
        lines.extend(at.once.iter().map(|(key, slot)| format!("  once {key}: {}", payloads[*slot as usize])));
        let mut sent: Vec<_> = at.sent.iter().map(|sent| (&image.types[sent.ty as usize], sent)).collect();
        sent.sort_by_key(|(name, _)| *name);
        lines.extend(sent.iter().map(|(name, sent)| format!("  sent {} {name}", sent.count)));
    }
    let mut joins: Vec<String> = image
        .joins
        .iter()
        .map(|join| {
            let set: Vec<_> = join.set.iter().map(|at| at.as_ref().map(|kept| describer.kept(kept))).collect();
            let step = &image.steps[join.step as usize];
            let group = join.group.map_or(String::new(), |group| format!(" in {}", describer.group(Some(group))));
            format!("join of {step}{group}: {set:?}, then {:?}", describer.aged(&join.later))
        })
        .collect();
    joins.sort();
    lines.extend(joins);
    lines.push(format!("kept {:?}", describer.aged(&image.kept)));
    let buffered = image.buffers.iter().map(|BufferImage { buffer, collection }| (collection, Some(buffer)));
    let plain = image.collections.iter().map(|collection| (collection, None));
    let mut collections: Vec<String> = plain
        .chain(buffered)
        .map(|(collection, buffer)| {
            let mut expected: Vec<_> = collection.expected.iter().map(|ty| &image.types[*ty as usize]).collect();
            expected.sort();
            let step = &image.steps[collection.step as usize];
            let apart = buffer.map_or(String::new(), |buffer| format!(" in {buffer}"));
            format!("collection of {step} for {expected:?}{apart}: {:?}", describer.aged(&collection.held))
        })
        .collect();
    collections.sort();
    lines.extend(collections);
    // Their numbers follow from the order of the steps.
    let mut groups: Vec<String> = (0..image.groups.len() as u32).map(|group| describer.group(Some(group))).collect();
    groups.sort();
    lines.extend(groups);
    let mut fanned: Vec<_> = image.fanned.iter().map(|step| &image.steps[*step as usize]).collect();
    fanned.sort();
    lines.extend(fanned.iter().map(|step| format!("{step} returns arrays")));
    lines.extend(image.failures.iter().map(|FailureImage { invocation, event }| {
        let at = &image.invocations[*invocation as usize];
        format!("failure of #{}: {}", at.order, describer.event(event))
    }));
    lines
}

impl Describer<'_> {
    fn event(&self, event: &EventImage) -> String {
        let (ty, payload) = (&self.image.types[event.ty as usize], &self.payloads[event.slot as usize]);
        format!("{ty} {payload} after {}", event.recoveries)
    }

    /// A group is known by what it has and what is around it.
    fn group(&self, group: Option<u32>) -> String {
        let Some(group) = group else { return "no array".into() };
        let at = &self.image.groups[group as usize];
        let mut gathered: Vec<String> = at
            .gathered
            .iter()
            .map(|gathered| {
                let events: Vec<_> = gathered.events.iter().map(|event| self.event(event)).collect();
                format!("{}: {events:?}, released {}", self.image.steps[gathered.step as usize], gathered.released)
            })
            .collect();
        gathered.sort();
        let source = &self.image.steps[at.source as usize];
        format!("an array of {source} after {}, {gathered:?} in {}", at.recoveries, self.group(at.parent))
    }

    fn kept(&self, kept: &KeptImage) -> String {
        format!("#{} {}", kept.order, self.event(&kept.event))
    }

    fn aged(&self, kept: &[KeptImage]) -> Vec<String> {
        let mut aged: Vec<_> = kept.iter().collect();
        aged.sort_by_key(|kept| kept.order);
        aged.into_iter().map(|kept| self.kept(kept)).collect()
    }

    fn answer(&self, answer: &AnswerImage) -> String {
        match answer {
            AnswerImage::Received(event) => format!("received {}", self.event(event)),
            AnswerImage::Collected(Some(events)) => {
                format!("collected {:?}", events.iter().map(|event| self.event(event)).collect::<Vec<_>>())
            }
            other => format!("{other:?}"),
        }
    }
}
