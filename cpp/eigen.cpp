#include "eigen.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "isa.hpp"
#include "run_each.hpp"

namespace alternant {
namespace {

double dot(const double* x, const double* y, int64_t n) {
    double sums[4] = {0.0, 0.0, 0.0, 0.0};
    int64_t i = 0;
    for (; i + 4 <= n; i += 4) {
        for (int j = 0; j < 4; ++j) sums[j] += x[i + j] * y[i + j];
    }
    for (; i < n; ++i) sums[0] += x[i] * y[i];
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

// Turn x (n numbers) into v with (I − β v vᵀ) x = α e₀; returns β (0 where x is a multiple of e₀ already).
double reflector(double* x, int64_t n, double& alpha) {
    double largest = 0.0;
    for (int64_t i = 1; i < n; ++i) largest = std::max(largest, std::fabs(x[i]));
    alpha = x[0];
    if (largest == 0.0) return 0.0;
    largest = std::max(largest, std::fabs(x[0]));
    for (int64_t i = 0; i < n; ++i) x[i] /= largest;
    const double length = std::sqrt(dot(x, x, n));
    alpha = x[0] > 0.0 ? -length : length;
    x[0] -= alpha;
    alpha *= largest;
    return 2.0 / dot(x, x, n);
}

// A = Wᵀ T W: T's diagonal to d, its off-diagonal to e[0..n−2], the orthogonal W to `vectors`.
void tridiagonalize(double* a, int64_t n, double* d, double* e, double* vectors, double* q,
                    const RunOptions& options) {
    const LevelKernels& level = kernels();
    for (int64_t i = 0; i + 2 < n; ++i) {
        double* v = a + i * n + i + 1;  // row i keeps its reflector, d[i] takes A_ii and a[i, i] then takes β
        const int64_t m = n - i - 1;
        d[i] = a[i * n + i];
        const double beta = reflector(v, m, e[i]);
        a[i * n + i] = beta;
        if (beta == 0.0) continue;
        // q = β A v − (β² vᵀA v / 2) v, A ← A − v qᵀ − q vᵀ on the trailing block.
        double* block = a + (i + 1) * n + i + 1;
        level.eigen_combine_rows(block, n, m, v, beta, q);
        const double share = -0.5 * beta * dot(q, v, m);
        for (int64_t c = 0; c < m; ++c) q[c] += share * v[c];
        level.eigen_subtract_outer(block, n, m, v, q);
    }
    for (int64_t i = std::max<int64_t>(n - 2, 0); i < n; ++i) {
        d[i] = a[i * n + i];
        if (i + 1 < n) e[i] = a[i * n + i + 1];
    }
    std::fill(vectors, vectors + n * n, 0.0);
    for (int64_t i = 0; i < n; ++i) vectors[i * n + i] = 1.0;
    constexpr int64_t rows = 8;
    run_each(chunks_of(n, rows), options, [&](int64_t chunk) {
        // The last rows have the most to do.
        const Span span = span_of(chunks_of(n, rows) - 1 - chunk, rows, n);
        level.eigen_reflect_rows(a, n, span.begin, span.end, vectors);
    });
}

// Rotations of rows, gathered and then applied to runs of columns that fit a cache.
class Rotations {
  public:
    Rotations(double* vectors, int64_t n, const RunOptions& options)
        : vectors_(vectors), n_(n), options_(options) {}

    void add(int64_t row, double c, double s) {
        waiting_.push_back({row, c, s});
        if (waiting_.size() >= 1 << 16) apply();
    }
    void apply() {
        constexpr int64_t columns = 32;
        const LevelKernels& level = kernels();
        run_each(chunks_of(n_, columns), options_, [&](int64_t chunk) {
            const Span span = span_of(chunk, columns, n_);
            level.eigen_rotate_columns(waiting_.data(), static_cast<int64_t>(waiting_.size()), n_, span.begin,
                                       span.end, vectors_);
        });
        waiting_.clear();
    }

  private:
    double* vectors_;
    int64_t n_;
    const RunOptions& options_;
    std::vector<Rotation> waiting_;
};

// One implicit QL step on the unreduced block [first, last] of T.
void ql_step(double* d, double* e, Rotations& rotations, int64_t first, int64_t last) {
    double g = (d[first + 1] - d[first]) / (2.0 * e[first]);
    g = d[last] - d[first] + e[first] / (g + std::copysign(std::hypot(g, 1.0), g));
    double c = 1.0, s = 1.0, p = 0.0;
    for (int64_t i = last - 1; i >= first; --i) {
        const double f = s * e[i], b = c * e[i];
        const double r = std::hypot(f, g);
        if (i + 1 < last) e[i + 1] = r;
        if (r == 0.0) {  // the block has come apart
            d[i + 1] -= p;
            return;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        const double t = (d[i] - g) * s + 2.0 * c * b;
        p = s * t;
        d[i + 1] = g + p;
        g = c * t - b;
        rotations.add(i, c, s);
    }
    d[first] -= p;
    e[first] = g;
}

}  // namespace

bool symmetric_eigen(double* a, int64_t n, double* w, double* vectors, double* work,
                     const RunOptions& given) {
    RunOptions options = given;
    if (n < 128) options.n_threads = 1;  // not worth a thread
    double *d = work, *e = work + n, *q = work + 2 * n;
    double largest = 0.0;
    for (int64_t i = 0; i < n * n; ++i) {
        if (!std::isfinite(a[i])) return false;
        largest = std::max(largest, std::fabs(a[i]));
    }
    // Squares of numbers near 1 neither overflow nor vanish.
    const double unit = largest > 0.0 ? largest : 1.0;
    for (int64_t i = 0; i < n * n; ++i) a[i] /= unit;
    tridiagonalize(a, n, d, e, vectors, q, options);
    Rotations rotations(vectors, n, options);
    // Measured by the whole matrix: beside the noise that stands for zero eigenvalues nothing would ever be
    // small.
    double negligible = 0.0;
    for (int64_t i = 0; i < n; ++i) {
        negligible = std::max(negligible, std::fabs(d[i]) + (i + 1 < n ? std::fabs(e[i]) : 0.0));
    }
    negligible *= std::numeric_limits<double>::epsilon();
    for (int64_t first = 0; first < n; ++first) {
        for (int step = 0;; ++step) {
            int64_t last = first;
            while (last + 1 < n && std::fabs(e[last]) > negligible) ++last;
            if (last == first) break;
            if (step == 60) return false;
            ql_step(d, e, rotations, first, last);
        }
    }
    rotations.apply();
    // Selection sort, since moving rows costs more than comparing.
    for (int64_t i = 0; i < n; ++i) {
        const int64_t best = std::max_element(d + i, d + n) - d;
        if (best != i) {
            std::swap(d[i], d[best]);
            std::swap_ranges(vectors + i * n, vectors + (i + 1) * n, vectors + best * n);
        }
        w[i] = d[i] * unit;
        double* row = vectors + i * n;
        const double* peak =
            std::max_element(row, row + n, [](double x, double y) { return std::fabs(x) < std::fabs(y); });
        if (*peak < 0.0) {
            for (int64_t j = 0; j < n; ++j) row[j] = -row[j];
        }
    }
    return true;
}

}  // namespace alternant
