// The k best of one query: a heap with the worst at the root, in the query's part of the output.
#pragma once

#include "topk_score.hpp"

namespace alternant {
namespace ALTERNANT_LEVEL {
namespace topk {

struct Best {
    float* scores;
    int32_t* indices;
    int64_t k;
    int64_t n;

    bool worse(int64_t a, int64_t b) const {
        return scores[a] < scores[b] || (scores[a] == scores[b] && indices[a] > indices[b]);
    }
    void swap(int64_t a, int64_t b) {
        const float score = scores[a];
        const int32_t index = indices[a];
        scores[a] = scores[b];
        indices[a] = indices[b];
        scores[b] = score;
        indices[b] = index;
    }
    void sift_down(int64_t i, int64_t size) {
        for (;;) {
            int64_t worst = i;
            if (2 * i + 1 < size && worse(2 * i + 1, worst)) worst = 2 * i + 1;
            if (2 * i + 2 < size && worse(2 * i + 2, worst)) worst = 2 * i + 2;
            if (worst == i) return;
            swap(i, worst);
            i = worst;
        }
    }
    // What a score has to reach (with a smaller index, to reach it is enough).
    float threshold() const { return n < k ? lowest : scores[0]; }
    // Rows come in any order, each once. A score that is NaN or minus infinity is not listed.
    void offer(float score, int32_t index) {
        if (n < k) {
            if (!(score > lowest)) return;
            int64_t i = n++;
            scores[i] = score;
            indices[i] = index;
            while (i > 0 && worse(i, (i - 1) / 2)) {
                swap(i, (i - 1) / 2);
                i = (i - 1) / 2;
            }
        } else if (score > scores[0] || (score == scores[0] && index < indices[0])) {
            scores[0] = score;
            indices[0] = index;
            sift_down(0, n);
        }
    }
    // Best first.
    void sort() {
        for (int64_t size = n - 1; size > 0; --size) {
            swap(0, size);
            sift_down(0, size);
        }
    }
};

}  // namespace topk
}  // namespace ALTERNANT_LEVEL
}  // namespace alternant
