"""What a reader's eyes would meet, measured in the page: contrast of every text, and whatever does not fit."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

# Every visible text with the colours it is drawn in: HTML text over the grounds that lie under it, figure
# text over the filled shapes under its middle and its ends. Icon ligatures and inactive controls carry no
# text to be read (WCAG 2.2, 1.4.3).
CONTRAST = r"""() => {
  const parse = text => {
    const found = text && text.match(/rgba?\(([^)]+)\)/)
    if (!found) return null
    const [r, g, b, a = 1] = found[1].split(/[ ,/]+/).map(Number)
    return [r, g, b, a]
  }
  const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat([1])
  const luminance = c => {
    const [r, g, b] = c.slice(0, 3).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const ratio = (a, b) => {
    const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x)
    return (high + 0.05) / (low + 0.05)
  }
  const ground = (element, text) => {
    const layers = []
    const { left, width, top, height } = text.getBoundingClientRect()
    const [x, y] = [left + width / 2, top + height / 2]
    for (let e = element; e; e = e.parentElement) {
      const box = e.getBoundingClientRect()
      const under = e === document.body || (x >= box.left && x <= box.right && y >= box.top && y <= box.bottom)
      if (!under) continue
      const colour = parse(getComputedStyle(e).backgroundColor)
      if (colour && colour[3] > 0) layers.push(colour)
      if (colour && colour[3] === 1) break
    }
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1])
  }
  const faded = element => {
    let opacity = 1
    for (let e = element; e; e = e.parentElement) opacity *= Number(getComputedStyle(e).opacity)
    return opacity
  }
  const seen = element => element.checkVisibility({ opacityProperty: true, visibilityProperty: true })
  const out = []
  const note = (element, colour, grounds, style) => {
    const ink = [...colour.slice(0, 3), colour[3] * faded(element)]
    const size = parseFloat(style.fontSize)
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700)
    const worst = Math.min(...grounds.map(each => ratio(over(ink, each), each)))
    out.push({ text: element.textContent.trim().slice(0, 60), ratio: worst, needed: large ? 3 : 4.5,
               figure: Boolean(element.closest('svg')), ink: over(ink, grounds[0]), ground: grounds[0] })
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const e = node.parentElement
    if (!node.data.trim() || e.closest('svg, script, style, noscript, canvas, title') || !seen(e)) continue
    if (e.closest('[data-testid="stIconMaterial"], :disabled, [aria-disabled="true"]')) continue
    if (!e.getClientRects().length || e.getBoundingClientRect().width <= 1) continue
    const style = getComputedStyle(e)
    note(e, parse(style.color), [ground(e, e)], style)
  }
  for (const plot of document.querySelectorAll('.js-plotly-plot')) {
    const base = ground(plot, plot)
    const shapes = [...plot.querySelectorAll('svg.main-svg path, svg.main-svg rect')].map(each => {
      const style = getComputedStyle(each)
      const fill = parse(style.fill)
      const opacity = fill && fill[3] * style.fillOpacity
      return opacity > 0 && style.pointerEvents !== 'all' && seen(each)
        ? { each, box: each.getBoundingClientRect(), fill: [...fill.slice(0, 3), opacity * faded(each)] }
        : null
    }).filter(Boolean)
    for (const text of plot.querySelectorAll('svg.main-svg text')) {
      if (!text.textContent.trim() || !seen(text)) continue
      const r = text.getBoundingClientRect()
      const style = getComputedStyle(text)
      const fill = parse(style.fill)
      if (!r.width || !fill || fill[3] * style.fillOpacity === 0) continue
      const grounds = [0.02, 0.5, 0.98].map(share => {
        const x = r.left + share * r.width
        const y = r.top + r.height / 2
        return shapes
          .filter(({ each, box }) => x >= box.left && x <= box.right && y >= box.top && y <= box.bottom
            && each.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING
            && each.isPointInFill(new DOMPoint(x, y).matrixTransform(each.getScreenCTM().inverse())))
          .reduce((below, { fill }) => over(fill, below), base)
      })
      note(text, [...fill.slice(0, 3), fill[3] * style.fillOpacity], grounds, style)
    }
  }
  return out
}"""

# Whatever is wider than the room it has: the page, an element beyond the page's edge, a text cut off,
# a figure's text outside its figure. What scrolls in its own region is meant to.
MISFITS = r"""() => {
  const out = []
  const main = document.querySelector('[data-testid="stMain"]')
  for (const each of [document.scrollingElement, main])
    if (each.scrollWidth > each.clientWidth) out.push(`page: ${each.scrollWidth} px in ${each.clientWidth}`)
  const name = e => `${e.tagName.toLowerCase()}.${e.getAttribute('class') || ''} "${e.textContent.trim().slice(0, 50)}"`
  const edge = main.getBoundingClientRect().left + main.clientWidth
  const block = document.querySelector('[data-testid="stMainBlockContainer"]')
  const ours = '.bs, [class*="st-key-card_"], [class*="st-key-fig_"], [class*="st-key-chip_"], .st-key-cohort_bar'
  for (const e of block.querySelectorAll('*')) {
    const style = getComputedStyle(e)
    const box = e.getBoundingClientRect()
    if (!box.width || !e.checkVisibility({ opacityProperty: true })) continue
    // A slider's real input is laid over its thumb and not drawn; a table scrolls in its own region.
    if (e.closest('svg, [data-testid="stDataFrame"], input[type="range"]')) continue
    const scrolls = e.closest('.bs-scroll')
    if (!scrolls && box.right > edge + 1) out.push(`beyond the page by ${Math.round(box.right - edge)} px: ${name(e)}`)
    const card = e.closest('[class*="st-key-card_"]')
    const over = card ? box.right - card.getBoundingClientRect().right : 0
    if (!scrolls && over > 1) out.push(`beyond its card by ${Math.round(over)} px: ${name(e)}`)
    if (!e.closest(ours) || (scrolls && style.overflowX === 'auto') || e.clientWidth <= 1) continue
    if (style.overflowX !== 'visible' && e.scrollWidth > e.clientWidth + 1)
      out.push(`${e.scrollWidth} px in ${e.clientWidth}: ${name(e)}`)
    if (style.overflowY === 'hidden' && e.scrollHeight > e.clientHeight + 2)
      out.push(`${e.scrollHeight} px high in ${e.clientHeight}: ${name(e)}`)
  }
  for (const plot of block.querySelectorAll('.js-plotly-plot')) {
    const a = plot.getBoundingClientRect()
    for (const text of plot.querySelectorAll('svg.main-svg text')) {
      const b = text.getBoundingClientRect()
      const by = Math.max(a.left - b.left, b.right - a.right, a.top - b.top, b.bottom - a.bottom)
      if (b.width && by > 1) out.push(`outside its figure by ${Math.round(by)} px: ${text.textContent.slice(0, 50)}`)
    }
  }
  return out
}"""


def texts(page: Page) -> list[dict[str, Any]]:
    """Every visible text: its contrast, what it needs, whether it stands in a figure, ink and ground."""
    return page.evaluate(CONTRAST)


def faint(found: list[dict[str, Any]]) -> list[str]:
    """Those that fall short of WCAG AA, as sentences."""
    return [
        f"{each['ratio']:.2f} of {each['needed']}: {each['text']!r}, {each['ink'][:3]} on {each['ground'][:3]}"
        for each in found
        if each["ratio"] < each["needed"]
    ]


def misfits(page: Page) -> list[str]:
    """What does not fit into the width it has."""
    return sorted(set(page.evaluate(MISFITS)))
