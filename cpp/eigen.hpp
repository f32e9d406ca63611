// Eigendecomposition of a small symmetric matrix in float64, on one thread and without a library, so that its
// bits depend on nothing but the input.
#pragma once

#include <cstdint>

namespace alternant {

// Decompose A = Vᵀ diag(w) V by Householder reduction to a tridiagonal matrix and implicit QL steps
// (Golub and Van Loan, Matrix Computations, 8.3).
//
// a : A, symmetric, shape (n, n); destroyed
// w : out, eigenvalues, descending, shape (n)
// vectors : out, row i is the unit eigenvector of w[i], its component of largest magnitude positive, shape
// (n, n)
// work : 3n doubles
//
// Returns false where A is not finite. Errors are relative to the largest eigenvalue.
bool symmetric_eigen(double* a, int64_t n, double* w, double* vectors, double* work);

}  // namespace alternant
