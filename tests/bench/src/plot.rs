//! The report as a picture: a bar for each participant, its length the median time.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::participants::FLOOR;
use crate::report::Report;
use crate::scenario::latency::Row;
use crate::{Error, Result};

const WIDTH: i32 = 820;
const BAR: i32 = 18;
const STEP: i32 = 24;
const HEADING: i32 = 34;
const NAMES: i32 = 110;
const VALUES: i32 = 210;
const MARGIN: i32 = 16;

const OURS: RGBColor = RGBColor(37, 99, 235);
const PEER: RGBColor = RGBColor(156, 163, 175);
const FLOOR_COLOUR: RGBColor = RGBColor(209, 213, 219);
const TEXT: RGBColor = RGBColor(75, 85, 99);

/// The places on http with the shortest and the longest path; those that differ little from others are left out.
pub(crate) fn svg(report: &Report) -> Result<String> {
    let groups = groups(&report.latency);
    let rows: usize = groups.iter().map(Vec::len).sum();
    let height = 2 * MARGIN + HEADING * i32::try_from(groups.len())? + STEP * i32::try_from(rows)?;
    let mut text = String::new();
    {
        let size = (u32::try_from(WIDTH)?, u32::try_from(height)?);
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        area.fill(&WHITE).map_err(drawing)?;
        let mut y = MARGIN;
        for group in &groups {
            y = draw(&area, group, y)?;
        }
        area.present().map_err(drawing)?;
    }
    Ok(text)
}

fn groups(rows: &[Row]) -> Vec<Vec<&Row>> {
    let delays = rows.iter().map(|row| row.delay_ms);
    let (nearest, farthest) = (delays.clone().min(), delays.max());
    let is_shown = |row: &&Row| {
        let is_usual = row.server != "ejabberd24" && !["ANONYMOUS", "X-OAUTH2"].contains(&row.login.as_str());
        is_usual && row.scheme == "http" && (Some(row.delay_ms) == nearest || Some(row.delay_ms) == farthest)
    };
    let mut groups: Vec<Vec<&Row>> = Vec::new();
    for row in rows.iter().filter(is_shown) {
        let place = |row: &Row| (row.server.clone(), row.login.clone(), row.delay_ms);
        match groups.last_mut() {
            Some(group) if place(group[0]) == place(row) => group.push(row),
            _ => groups.push(vec![row]),
        }
    }
    groups
}

/// Draws one place, and returns where the next begins.
fn draw(area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>, group: &[&Row], top: i32) -> Result<i32> {
    let font = |size: i32, colour: &RGBColor, side| {
        ("sans-serif", size).into_font().color(colour).pos(Pos::new(side, VPos::Center))
    };
    let Some(first) = group.first() else { return Ok(top) };
    let (server, login, delay, calls) = (&first.server, &first.login, first.delay_ms, first.calls);
    let heading =
        format!("{server}, {login}, a round trip takes {delay} ms: median and 95 % of {calls} logins");
    let at = (MARGIN, top + HEADING / 2);
    area.draw(&Text::new(heading, at, font(15, &BLACK, HPos::Left))).map_err(drawing)?;
    let longest = group.iter().map(|row| row.p50_ms).fold(f64::MIN_POSITIVE, f64::max);
    let mut y = top + HEADING;
    for row in group {
        let colour = match (row.name.as_str(), row.is_ours) {
            (FLOOR, _) => FLOOR_COLOUR,
            (_, true) => OURS,
            (_, false) => PEER,
        };
        let left = MARGIN + NAMES;
        #[expect(clippy::cast_possible_truncation, reason = "pixels")]
        let right = left + (row.p50_ms / longest * f64::from(WIDTH - MARGIN - left - VALUES)).round() as i32;
        let middle = y + BAR / 2;
        let bar = Rectangle::new([(left, y), (right, y + BAR)], colour.filled());
        area.draw(&bar).map_err(drawing)?;
        let name = Text::new(row.name.clone(), (left - 8, middle), font(13, &TEXT, HPos::Right));
        area.draw(&name).map_err(drawing)?;
        let of = if row.calls == first.calls { String::new() } else { format!(", {} logins", row.calls) };
        let value = format!("{:.1} ms (95 %: {:.1}){of}", row.p50_ms, row.p95_ms);
        area.draw(&Text::new(value, (right + 8, middle), font(13, &TEXT, HPos::Left))).map_err(drawing)?;
        y += STEP;
    }
    Ok(y)
}

fn drawing(error: impl std::fmt::Display) -> Error {
    error.to_string().into()
}
