// Eigendecomposition of a small symmetric matrix in float64, without a library, so that its bits depend on
// the input and the instruction-set level only.
#pragma once

#include <cstdint>

#include "threads.hpp"

namespace alternant {

// Row `row` of the vectors and the one below become c · x − s · y and s · x + c · y.
struct Rotation {
    int64_t row;
    double c, s;
};

// Decompose A = Vᵀ diag(w) V by Householder reduction to a tridiagonal matrix and implicit QL steps
// (Golub and Van Loan, Matrix Computations, 8.3).
//
// a : A, symmetric, shape (n, n); destroyed
// w : out, eigenvalues, descending, shape (n)
// vectors : out, row i is the unit eigenvector of w[i], its component of largest magnitude positive, shape
// (n, n)
// work : 3n doubles
// options : threads, of which no bit depends; a stop leaves the result undefined
//
// Returns false where A is not finite. Errors are relative to the largest eigenvalue.
bool symmetric_eigen(double* a, int64_t n, double* w, double* vectors, double* work,
                     const RunOptions& options);

}  // namespace alternant
