//! Numbers for tests that do each time something else, and the same with the same seed.

/// Numbers that look drawn and are the same for the same seed (`SplitMix64`). `NORTHGATE_SEED` chooses
/// another one.
pub(crate) struct RandomNumbers(u64);

impl From<u64> for RandomNumbers {
    fn from(seed: u64) -> Self {
        Self(seed)
    }
}

impl RandomNumbers {
    /// Says which seed it is, so that a failure can be seen again.
    pub(crate) fn from_environment() -> Self {
        let seed =
            std::env::var("NORTHGATE_SEED").map_or(4, |seed| seed.parse().expect("a number"));
        println!("NORTHGATE_SEED={seed}");
        Self(seed)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }
}
