#pragma once
// Recency, frequency and monetary scores.

#include <string>

#include "journeyman/history/history.hpp"
#include "journeyman/segment/vocabulary.hpp"

namespace journeyman {

/// contact_id, recency (a duration: from the last event to `at`), frequency (how many events), monetary (the sum of `property`), r, f, m, score; sorted by id.
/// One row for each contact with an event that the selector takes by `at`; its window counts back from there (`purchase, last 1y`). `property` may be left empty when the selector has one.
/// r, f, m are 1 (worst) to `scores` (best) by quantiles among those rows: with `l` contacts below and `e` equal (itself among them) of `n`, the score is
/// 1 + floor(scores · (l + e/2) / n), so equals always share a score (that of the middle of their ranks) and without ties each score has n / scores contacts, rounded.
/// The latest is the best recency. `score` is the text of the three digits, "545". After Hughes (1994), "Strategic Database Marketing", where scores are quintiles.
/// Errors: those of the type check, placed "event" or "property"; `predicate.shape` without a property; `rfm.scores` for fewer than 2 or more than 9.
table rfm(const history&, const selector& event, const std::string& property, instant at, int scores = 5, const vocabulary& = {}, const progress_listener& = {});

}  // namespace journeyman
