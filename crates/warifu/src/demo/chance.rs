//! Chance that comes out the same every time: the demo is reproducible.

/// SplitMix64 (Steele, Lea, Flood 2014): small, and its stream is fixed for ever, which is not
/// promised of a library's "standard" generator.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0 to below `n`; 0 when `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        // The bias of the remainder is below 2^-40 for every n used here.
        self.next().checked_rem(n).unwrap_or(0)
    }

    /// True in `permille` of 1,000 cases.
    pub fn permille(&mut self, permille: u64) -> bool {
        self.below(1_000) < permille
    }

    /// One of a list that is not empty.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.below(list.len() as u64) as usize)
    }

    pub fn text(&mut self, list: &[&'static str]) -> &'static str {
        self.pick(list).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::Chance;

    #[test]
    fn the_stream_is_fixed() {
        let mut c = Chance::new(20_230_928);
        let first = [c.next(), c.next()];
        let mut again = Chance::new(20_230_928);
        assert_eq!(first, [again.next(), again.next()]);
        // Reference value of SplitMix64 for seed 0.
        assert_eq!(Chance::new(0).next(), 0xE220_A839_7B1D_CDAF);
    }
}
