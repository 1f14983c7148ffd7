//! See the module `import` of the library.
#![no_main]
fps_fuzz::target!(import);
