// Compiles the part of fmt that is not in its public headers. Debian ships that part as a shared library only, and
// tieout must run on machines without it (cmake/Libraries.cmake).

#include <fmt/format-inl.h>

// fmt's headers declare these templates as instantiated elsewhere.
FMT_BEGIN_NAMESPACE
namespace detail {
template FMT_API auto locale_ref::get<std::locale>() const -> std::locale;
template FMT_API auto thousands_sep_impl<char>(locale_ref) -> thousands_sep_result<char>;
template FMT_API auto decimal_point_impl<char>(locale_ref) -> char;
template FMT_API void buffer<char>::append(const char*, const char*);
}  // namespace detail
FMT_END_NAMESPACE
