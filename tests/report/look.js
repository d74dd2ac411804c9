// SPDX-License-Identifier: GPL-2.0-or-later
// Run in the page by tests/report/page: where everything is, as one JSON text.
const box = e => { const r = e.getBoundingClientRect(); return { x: r.x, y: r.y, width: r.width, height: r.height }; };
const width = document.documentElement.clientWidth;
const outside = [...document.body.querySelectorAll("*")].filter(e =>
	!e.closest(".scroll") && (e.getBoundingClientRect().right > width + 0.5 || e.getBoundingClientRect().left < -0.5));
const nodes = {};
for (const g of document.querySelectorAll("svg.stack g.node")) {
	const rect = g.querySelector("rect"), room = box(rect);
	nodes[g.dataset.link] = {
		...room,
		verdict: g.querySelector(".verdict").textContent,
		fits: [...g.querySelectorAll("text")].every(t => box(t).x >= room.x && box(t).x + box(t).width <= room.x + room.width),
		apart: box(g.querySelector(".name")).x + box(g.querySelector(".name")).width <= box(g.querySelector(".kind")).x,
	};
}
const edges = [...document.querySelectorAll("svg.stack path.edge")].map(p => {
	const at = l => { const q = p.getPointAtLength(l).matrixTransform(p.getScreenCTM()); return { x: q.x, y: q.y }; };
	return { lower: p.dataset.lower, upper: p.dataset.upper, from: at(0), to: at(p.getTotalLength()) };
});
return JSON.stringify({
	width: innerWidth,
	overflow: document.documentElement.scrollWidth - width,
	outside: outside.map(e => e.tagName + "." + e.className),
	background: getComputedStyle(document.body).backgroundColor,
	ink: getComputedStyle(document.body).color,
	sections: Object.fromEntries([...document.querySelectorAll("section")].map(s => [s.id, {
		heading: s.querySelector("h2").textContent,
		text: s.innerText.replace(/\s+/g, " "),
		rows: s.querySelectorAll("tbody tr").length,
		bars: s.querySelectorAll(".bar").length,
		absent: s.querySelectorAll(".absent").length,
	}])),
	requests: performance.getEntriesByType("resource").map(r => r.name),
	nodes,
	edges,
});
