//! How memory is divided: which block a request gets, and what becomes of one that was freed.
//!
//! # Small blocks
//!
//! Requests of up to [`SMALL`] bytes are rounded up to one of a few sizes, four for each doubling, so that a block is
//! at most a quarter larger than what was asked for, and at most 15 bytes larger below 64. Freed blocks of a size are a
//! list, whose links are in the blocks. A new block is cut from a run and never becomes one again.
//!
//! # Runs
//!
//! Everything larger is a run of whole [`GRAIN`]s. Free runs are a list in the order of their addresses; neighbours are
//! joined, and the first that is long enough is used. So a buffer that is needed in ever larger sizes does not leave
//! its smaller ones behind. Few blocks are so large, so that walking the list costs little.
//!
//! # Invariants
//!
//! 1. Every address is a multiple of [`ALIGN`].
//! 2. A block is in one list or in use, never both, and blocks do not overlap
//!    (`blocks_keep_their_contents_and_are_used_again`).
//! 3. Memory is only ever taken from the source when no free block of the size and no free run is there.
#![allow(unsafe_code)]

/// The alignment of every block, and the difference between the smallest sizes.
pub(super) const ALIGN: usize = 16;
/// The largest small block. A power of two.
const SMALL: usize = 32 << 10;
/// The lengths of larger ones are multiples of it.
const GRAIN: usize = 4 << 10;
/// What small blocks are cut from.
const SLAB: usize = 16 << 10;
/// From here on a small block is a run of its own, because it could leave too much of a slab behind.
const LARGE_IN_SLAB: usize = SLAB / 8;
/// How many sizes small blocks have.
const SIZES: usize = class_of(SMALL) + 1;

/// Where new memory comes from.
pub(super) trait Source {
    /// Further memory of at least `bytes`: its address and its length. `None` when there is none.
    fn more(&mut self, bytes: usize) -> Option<(usize, usize)>;
}

/// The blocks of one memory. Addresses are numbers; 0 stands for none.
pub(super) struct Blocks<S> {
    source: S,
    /// The first free block of each size.
    free: [usize; SIZES],
    /// The first free run.
    runs: usize,
    /// Where the memory ends that the source has given last.
    end: usize,
    /// What is left of the slab that small blocks are cut from: its address and its end.
    slab: (usize, usize),
}

/// What stands at the beginning of a free run.
struct Run {
    length: usize,
    next: usize,
}

/// The number of the size that a request is rounded up to.
const fn class_of(bytes: usize) -> usize {
    let last = bytes.saturating_sub(1) / ALIGN;
    if last < 4 {
        return last;
    }
    // The two bits after the highest one choose among the four sizes of a doubling.
    let doubling = last.ilog2() as usize - 1;
    doubling * 4 + ((last >> (doubling - 1)) & 3)
}

/// The size of that number.
const fn size_of_class(class: usize) -> usize {
    if class < 4 { (class + 1) * ALIGN } else { ((5 + class % 4) * ALIGN) << (class / 4 - 1) }
}

const fn length_of_run(bytes: usize) -> usize {
    bytes.div_ceil(GRAIN) * GRAIN
}

/// The length of the block that a request gets.
pub(super) const fn length_of(bytes: usize) -> usize {
    if bytes <= SMALL { size_of_class(class_of(bytes)) } else { length_of_run(bytes) }
}

/// A place in the memory that is being divided.
///
/// # Safety
/// `address` must be that of a free block or run, and properly aligned for a `T`.
#[inline]
unsafe fn at<'a, T>(address: usize) -> &'a mut T {
    // SAFETY: as the caller has promised; what is free belongs to the lists alone.
    unsafe { &mut *core::ptr::with_exposed_provenance_mut(address) }
}

impl<S: Source> Blocks<S> {
    pub(super) const fn new(source: S) -> Blocks<S> {
        Blocks { source, free: [0; SIZES], runs: 0, end: 0, slab: (0, 0) }
    }

    /// The address of a block for `bytes`, or 0 when there is no memory left.
    #[inline]
    pub(super) fn take(&mut self, bytes: usize) -> usize {
        if bytes > SMALL {
            return self.take_run(length_of_run(bytes));
        }
        let class = class_of(bytes);
        let block = self.free[class];
        if block == 0 {
            return self.cut(size_of_class(class));
        }
        // SAFETY: a free block holds the address of the next one.
        self.free[class] = unsafe { *at::<usize>(block) };
        block
    }

    /// Frees the block at `address`, which was taken for `bytes`.
    ///
    /// # Safety
    /// The block must be in use, and nothing may use it any more.
    #[inline]
    pub(super) unsafe fn give(&mut self, address: usize, bytes: usize) {
        if bytes > SMALL {
            // SAFETY: as the caller has promised.
            return unsafe { self.give_run(address, length_of_run(bytes)) };
        }
        let first = &mut self.free[class_of(bytes)];
        // SAFETY: the block is free from now on.
        unsafe { *at::<usize>(address) = *first };
        *first = address;
    }

    /// A new small block. What is left of a slab that is too short for it is lost.
    #[inline(never)]
    fn cut(&mut self, length: usize) -> usize {
        if length >= LARGE_IN_SLAB {
            return self.take_run(length);
        }
        if self.slab.1 - self.slab.0 < length {
            let slab = self.take_run(SLAB);
            if slab == 0 {
                return 0;
            }
            self.slab = (slab, slab + SLAB);
        }
        let block = self.slab.0;
        self.slab.0 += length;
        block
    }

    #[inline(never)]
    fn take_run(&mut self, length: usize) -> usize {
        loop {
            let (mut previous, mut run) = (0, self.runs);
            let mut missing = length;
            while run != 0 {
                // SAFETY: it is in the list of free runs.
                let Run { length: has, next } = *unsafe { at::<Run>(run) };
                if has >= length {
                    // The end is used, so that the list stays as it is while something is left.
                    if has > length {
                        // SAFETY: as above.
                        unsafe { at::<Run>(run) }.length = has - length;
                    } else {
                        self.link(previous, next);
                    }
                    return run + has - length;
                }
                // New memory is joined to a run at the end of the old one.
                if run + has == self.end {
                    missing = length - has;
                }
                (previous, run) = (run, next);
            }
            let Some((address, has)) = self.source.more(missing) else { return 0 };
            self.end = address + has;
            // SAFETY: new memory is in nobody's use.
            unsafe { self.give_run(address, has) };
        }
    }

    /// Lets the run after `previous` be `next`.
    fn link(&mut self, previous: usize, next: usize) {
        match previous {
            0 => self.runs = next,
            // SAFETY: it is in the list of free runs.
            _ => unsafe { at::<Run>(previous) }.next = next,
        }
    }

    /// # Safety
    /// As [`give`](Self::give).
    #[inline(never)]
    unsafe fn give_run(&mut self, mut address: usize, mut length: usize) {
        let (mut before, mut previous, mut next) = (0, 0, self.runs);
        while next != 0 && next < address {
            // SAFETY: it is in the list of free runs.
            (before, previous, next) = (previous, next, unsafe { at::<Run>(next) }.next);
        }
        if next == address + length {
            // SAFETY: as above.
            let run = unsafe { at::<Run>(next) };
            (length, next) = (length + run.length, run.next);
        }
        if previous != 0 {
            // SAFETY: as above.
            let run = unsafe { at::<Run>(previous) };
            if previous + run.length == address {
                (address, length, previous) = (previous, length + run.length, before);
            }
        }
        // SAFETY: the run is free from now on.
        *unsafe { at::<Run>(address) } = Run { length, next };
        self.link(previous, address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A memory of its own, which is handed out in pages.
    struct Pages {
        memory: Vec<u128>,
        used: usize,
    }

    const PAGE: usize = 64 << 10;

    impl Pages {
        fn new(pages: usize) -> Pages {
            Pages { memory: vec![0; pages * PAGE / 16], used: 0 }
        }
    }

    impl Source for Pages {
        fn more(&mut self, bytes: usize) -> Option<(usize, usize)> {
            let length = bytes.div_ceil(PAGE) * PAGE;
            if self.used + length > self.memory.len() * 16 {
                return None;
            }
            let address = self.memory.as_mut_ptr().expose_provenance() + self.used;
            self.used += length;
            Some((address, length))
        }
    }

    #[test]
    fn a_size_is_hardly_larger_than_what_was_asked_for() {
        let mut last = 0;
        for bytes in 0..=3 * SMALL {
            let length = length_of(bytes);
            assert!(length >= bytes && length >= last && length.is_multiple_of(ALIGN), "{bytes} gets {length}");
            assert!(length <= bytes + ALIGN || length <= bytes + bytes / 4, "{bytes} gets {length}");
            last = length;
        }
        assert_eq!((class_of(SMALL), size_of_class(SIZES - 1)), (SIZES - 1, SMALL));
    }

    fn lengths() -> impl Strategy<Value = usize> {
        prop_oneof![4 => 0usize..300, 2 => 0usize..SMALL, 1 => SMALL..200_000]
    }

    proptest! {
        #[test]
        fn blocks_keep_their_contents_and_are_used_again(
            steps in proptest::collection::vec((any::<bool>(), lengths(), any::<u32>()), 1..400),
        ) {
            let mut blocks = Blocks::new(Pages::new(2000));
            let mut live: Vec<(usize, usize, u8)> = Vec::new();
            let intact = |&(address, bytes, mark): &(usize, usize, u8)| {
                let content = core::ptr::with_exposed_provenance::<u8>(address);
                // SAFETY: the block is in use by this test alone.
                let content = unsafe { core::slice::from_raw_parts(content, bytes) };
                content.iter().all(|byte| *byte == mark)
            };
            for (takes, bytes, choice) in steps {
                if takes || live.is_empty() {
                    let address = blocks.take(bytes);
                    prop_assert!(address != 0 && address.is_multiple_of(ALIGN));
                    let mark = choice as u8;
                    // SAFETY: the block was taken just now.
                    unsafe { core::ptr::with_exposed_provenance_mut::<u8>(address).write_bytes(mark, bytes) };
                    live.push((address, bytes, mark));
                } else {
                    let block = live.swap_remove(choice as usize % live.len());
                    prop_assert!(intact(&block));
                    // SAFETY: it is in use, and not used any more.
                    unsafe { blocks.give(block.0, block.1) };
                }
            }
            prop_assert!(live.iter().all(intact));
            // What was in use before needs no further memory.
            let used = blocks.source.used;
            let again: Vec<usize> = live.iter().map(|(_, bytes, _)| *bytes).collect();
            // SAFETY: as above.
            live.iter().for_each(|(address, bytes, _)| unsafe { blocks.give(*address, *bytes) });
            prop_assert!(again.iter().all(|bytes| *bytes > SMALL || blocks.take(*bytes) != 0));
            prop_assert_eq!(blocks.source.used, used);
        }
    }

    #[test]
    fn a_buffer_that_grows_leaves_little_behind() {
        let most = 8 << 20;
        let mut blocks = Blocks::new(Pages::new(200));
        for bytes in (SMALL + 1..most).step_by(50_000) {
            let address = blocks.take(bytes);
            assert_ne!(address, 0);
            // SAFETY: it is in use, and not used any more.
            unsafe { blocks.give(address, bytes) };
        }
        assert!(blocks.source.used <= most + PAGE, "{} for {most}", blocks.source.used);
    }

    #[test]
    fn without_memory_there_is_no_block() {
        let mut blocks = Blocks::new(Pages::new(1));
        assert_eq!(blocks.take(2 * PAGE), 0);
        assert_ne!(blocks.take(100), 0);
        assert_eq!(blocks.take(PAGE), 0);
    }
}
