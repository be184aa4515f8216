//! The allocator of the modules. Rust's own for this target, dlmalloc, is 8 kB of each module; this is a sixth of that,
//! and needs fewer instructions for the small blocks of which a run consists.
//!
//! # Layout
//!
//! - `blocks.rs`: how memory is divided. It knows nothing of WebAssembly, so that it is tested natively.
//! - this file: the memory of the instance, and what the standard library calls.

mod blocks;

#[cfg(target_arch = "wasm32")]
mod instance {
    #![allow(unsafe_code)]

    use core::alloc::{GlobalAlloc, Layout};
    use core::arch::wasm32::{memory_grow, memory_size};
    use core::cell::UnsafeCell;
    use core::ptr;

    use super::blocks::{ALIGN, Blocks, Source, length_of};

    const PAGE: usize = 64 << 10;

    unsafe extern "C" {
        /// The linker's: where the stack and the constants end.
        static __heap_base: u8;
    }

    /// The memory of the instance, from behind the constants on.
    struct Memory {
        begun: bool,
    }

    impl Source for Memory {
        fn more(&mut self, bytes: usize) -> Option<(usize, usize)> {
            if !core::mem::replace(&mut self.begun, true) {
                // What the linker has left of the last page that the module begins with.
                let begin = (&raw const __heap_base).addr().next_multiple_of(ALIGN);
                let length = (memory_size(0) * PAGE).saturating_sub(begin);
                if length >= bytes {
                    return Some((begin, length));
                }
            }
            let pages = bytes.div_ceil(PAGE);
            match memory_grow(0, pages) {
                usize::MAX => None,
                before => Some((before * PAGE, pages * PAGE)),
            }
        }
    }

    struct Allocator(UnsafeCell<Blocks<Memory>>);

    // SAFETY: an instance has one thread.
    unsafe impl Sync for Allocator {}

    #[global_allocator]
    static ALLOCATOR: Allocator = Allocator(UnsafeCell::new(Blocks::new(Memory { begun: false })));

    impl Allocator {
        #[allow(clippy::mut_from_ref)] // There is one thread, and no borrow outlives a call below.
        fn blocks(&self) -> &mut Blocks<Memory> {
            // SAFETY: as above.
            unsafe { &mut *self.0.get() }
        }
    }

    // SAFETY: blocks are as long as asked for and aligned, and those in use do not overlap; see `blocks.rs`.
    unsafe impl GlobalAlloc for Allocator {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            if layout.align() > ALIGN {
                return ptr::null_mut();
            }
            ptr::with_exposed_provenance_mut(self.blocks().take(layout.size()))
        }

        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            // SAFETY: the caller gives a block back that is in use.
            unsafe { self.blocks().give(block.expose_provenance(), layout.size()) };
        }

        unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
            if length_of(layout.size()) == length_of(size) {
                return block;
            }
            let used = layout.size().min(size);
            // SAFETY: the new block does not overlap the old one, and `used` is within both.
            unsafe {
                let new = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
                if !new.is_null() {
                    ptr::copy_nonoverlapping(block, new, used);
                    self.dealloc(block, layout);
                }
                new
            }
        }
    }
}
