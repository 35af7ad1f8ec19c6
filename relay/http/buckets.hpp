#pragma once
/// Token buckets of many who ask, in bounded memory and with a bounded effort for each request,
/// however many new ones come. One thread at a time.

#include <algorithm>
#include <cstddef>
#include <map>

namespace plankurier::relay::http {

inline constexpr double burst_s = 10; ///< so many seconds' worth of requests may come at once

/// Only full buckets are ever forgotten: whoever has one gets the same again as a newcomer, so
/// nobody's debts end sooner by that. Buckets stand in the order in which they are full again.
template <typename Key>
class Buckets {
public:
    /// `kept_s`: so long a full bucket is kept as long as there is room.
    Buckets(std::size_t rate_s, double kept_s)
        : rate_(static_cast<double>(rate_s)), kept_s_(kept_s) {}

    [[nodiscard]] bool contains(const Key& key) const { return by_key_.contains(key); }
    /// A full bucket, if there is none yet and there is room.
    void add(const Key& key, double now) {
        make_room(now);
        if (by_key_.size() < buckets_max && !contains(key)) insert(key, now);
    }
    void erase(const Key& key) {
        const auto found = by_key_.find(key);
        if (found == by_key_.end()) return;
        by_full_.erase(found->second.place);
        by_key_.erase(found);
    }
    /// One request. With more who ask than there is room for, those without a bucket of their own
    /// share one.
    [[nodiscard]] bool take(const Key& key, double now) {
        make_room(now);
        auto found = by_key_.find(key);
        if (found == by_key_.end() && by_key_.size() >= buckets_max) found = by_key_.find(Key{});
        if (found == by_key_.end()) {
            found = insert(by_key_.size() < buckets_max ? key : Key{}, now);
        }
        Bucket& bucket = found->second;
        bucket.left = std::min(full(), bucket.left + (now - bucket.since) * rate_);
        bucket.since = now;
        const bool may = bucket.left >= 1;
        if (may) bucket.left -= 1;
        by_full_.erase(bucket.place);
        bucket.place = by_full_.emplace(now + (full() - bucket.left) / rate_, &found->first);
        return may;
    }
    /// Buckets that were looked at to make room, ever: what the bounded effort is.
    [[nodiscard]] std::size_t looked_at() const noexcept { return looked_at_; }

private:
    static constexpr std::size_t buckets_max = 50'000;
    using Order = std::multimap<double, const Key*>; ///< by when the bucket is full again
    struct Bucket {
        double left{}, since{};
        typename Order::iterator place;
    };
    using ByKey = std::map<Key, Bucket>;

    [[nodiscard]] double full() const noexcept { return rate_ * burst_s; }

    typename ByKey::iterator insert(const Key& key, double now) {
        const auto made = by_key_.try_emplace(key, Bucket{full(), now, by_full_.end()}).first;
        made->second.place = by_full_.emplace(now, &made->first);
        return made;
    }
    /// Two at most, so that a flood that has filled everything costs each request the same, and
    /// what one adds is still outrun.
    void make_room(double now) {
        for (int i = 0; i < 2 && !by_full_.empty(); ++i) {
            ++looked_at_;
            const auto first = by_full_.begin();
            const double kept_s = by_key_.size() < buckets_max ? kept_s_ : 0;
            if (first->first + kept_s > now) return;
            by_key_.erase(*first->second);
            by_full_.erase(first);
        }
    }

    double rate_, kept_s_;
    ByKey by_key_;
    Order by_full_;
    std::size_t looked_at_{};
};

} // namespace plankurier::relay::http
