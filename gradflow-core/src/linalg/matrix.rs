//! Rows of matrices that lie in slices.

/// A slice seen as a matrix, row after row; what is left over at the end is no row.
///
/// Unlike `chunks_exact`, joined with other iterators, this never divides by the width, and so has
/// no check for zero that could panic. A width of 0 is taken as 1.
pub(crate) trait Matrix<T> {
    /// Its rows.
    fn rows<'m>(&'m self, width: usize) -> impl Iterator<Item = &'m [T]> + Clone
    where
        T: 'm;

    /// Its rows, to write.
    fn rows_mut<'m>(&'m mut self, width: usize) -> impl Iterator<Item = &'m mut [T]>
    where
        T: 'm;

    /// Pieces of `len` entries, the last of which may be shorter.
    fn pieces<'m>(&'m self, len: usize) -> impl Iterator<Item = &'m [T]> + Clone
    where
        T: 'm;

    /// Such pieces, to write.
    fn pieces_mut<'m>(&'m mut self, len: usize) -> impl Iterator<Item = &'m mut [T]>
    where
        T: 'm;
}

impl<T> Matrix<T> for [T] {
    #[inline(always)]
    fn rows<'m>(&'m self, width: usize) -> impl Iterator<Item = &'m [T]> + Clone
    where
        T: 'm,
    {
        self.chunks_exact(width.max(1)).map_while(Some)
    }

    #[inline(always)]
    fn rows_mut<'m>(&'m mut self, width: usize) -> impl Iterator<Item = &'m mut [T]>
    where
        T: 'm,
    {
        self.chunks_exact_mut(width.max(1)).map_while(Some)
    }

    #[inline(always)]
    fn pieces<'m>(&'m self, len: usize) -> impl Iterator<Item = &'m [T]> + Clone
    where
        T: 'm,
    {
        self.chunks(len.max(1)).map_while(Some)
    }

    #[inline(always)]
    fn pieces_mut<'m>(&'m mut self, len: usize) -> impl Iterator<Item = &'m mut [T]>
    where
        T: 'm,
    {
        self.chunks_mut(len.max(1)).map_while(Some)
    }
}
