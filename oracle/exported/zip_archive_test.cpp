#include "oracle/exported/zip_archive.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <fstream>

#include "cases/testing/temporary_folder.h"
#include "cases/testing/zip_file.h"

namespace tieout {
namespace {

using testing::HasSubstr;

class ZipFile : public testing::Test {
 protected:
  tl::expected<ZipArchive, std::string> open(const std::string& bytes) {
    std::ofstream(file_, std::ios::binary) << bytes;
    return ZipArchive::open(file_);
  }

  // Returns the error of reading the first entry; "" if it is read.
  std::string error_of(const std::string& bytes, std::uint64_t most = 100) {
    auto archive = open(bytes);
    if (!archive) return archive.error();
    const auto read = archive->read(archive->entries().front(), most);
    return read ? "" : read.error();
  }

  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "a.zip";
};

std::string changed(std::string bytes, std::size_t at, const std::string& by) {
  return bytes.replace(at, by.size(), by);
}

TEST_F(ZipFile, ReadsWhatIsStored) {
  auto archive = open(zip_of({{"a/one", "first"}, {"a/two", ""}}));
  ASSERT_TRUE(archive) << archive.error();
  ASSERT_EQ(archive->entries().size(), 2U);
  EXPECT_EQ(archive->entries()[1].name, "a/two");
  EXPECT_EQ(archive->read(archive->entries()[0], 5), "first");
  EXPECT_EQ(archive->read(archive->entries()[1], 0), "");
  EXPECT_EQ(archive->beginning_of(archive->entries()[0], 3), "fir");
}

TEST_F(ZipFile, ComparesTheChecksum) {
  EXPECT_EQ(crc32_of("123456789"), 0xcbf43926U);  // the check value of CRC-32
  const std::string good = zip_of({{"name", "contents"}});
  EXPECT_EQ(error_of(good), "");
  EXPECT_THAT(error_of(changed(good, good.find("contents"), "c0ntents")), HasSubstr("its checksum is wrong"));
}

TEST_F(ZipFile, RefusesArchivesThatLie) {
  const std::string good = zip_of({{"name", "contents"}});
  const std::size_t entry = good.find("PK\x01\x02"), end = good.find("PK\x05\x06");
  // The sizes are at 20 and 24 of an entry of the directory, its local header's offset at 42.
  EXPECT_THAT(error_of(changed(good, entry + 24, bytes_of_number(1000, 4))), HasSubstr("has two sizes"));
  const std::string longer = changed(good, entry + 20, bytes_of_number(1000, 4) + bytes_of_number(1000, 4));
  EXPECT_THAT(error_of(longer), HasSubstr("1000 bytes, more than the 100 allowed"));
  EXPECT_THAT(error_of(longer, 2000), HasSubstr("end behind the end of the file"));
  EXPECT_THAT(error_of(changed(good, entry + 42, bytes_of_number(7, 4))), HasSubstr("not where the directory says"));
  EXPECT_THAT(error_of(changed(good, entry + 10, bytes_of_number(8, 2))), HasSubstr("is compressed or encrypted"));
  EXPECT_THAT(error_of(changed(good, good.find("name"), "Name")), HasSubstr("another name than in the directory"));
  EXPECT_THAT(error_of(changed(good, entry + 28, bytes_of_number(60000, 2))), HasSubstr("its directory is cut off"));
  EXPECT_THAT(error_of(changed(good, end + 12, bytes_of_number(0xfffffff0, 4))), HasSubstr("lie outside of the file"));
  EXPECT_THAT(error_of(changed(good, entry + 24, bytes_of_number(0xffffffff, 4))), HasSubstr("lacks its size"));
}

TEST_F(ZipFile, RefusesEveryTruncation) {
  const std::string good = zip_of({{"name", "contents"}, {"other", "more"}});
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(open(good.substr(0, size))) << size;
}

}  // namespace
}  // namespace tieout
