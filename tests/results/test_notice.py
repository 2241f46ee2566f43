from beyond_alignment.results import notice, raw_data_notice


def test_a_box_keeps_the_colour_of_the_page_and_escapes_its_text():
    box = notice("a < b", title="Careful & slow")
    shown = box._repr_html_()
    assert "a &lt; b" in shown
    assert "Careful &amp; slow" in shown
    assert "color: inherit" in shown
    assert repr(box) == "Careful & slow\na < b"


def test_absent_raw_data_are_named_with_the_way_to_get_them():
    box = raw_data_notice({"her2st": ("A1",), "mob": ()})
    assert "mob" in box.title
    assert "her2st" not in box.title
    assert "BEYOND_ALIGNMENT_MIRROR" in box.text
    assert "datasets.load" in box.text
    assert "her2st: A1" in box.text


def test_present_raw_data_are_listed():
    assert raw_data_notice({"mob": ("MOB1", "MOB2")}).text.endswith("mob: MOB1, MOB2.")
