"""Builds data/paintings/: eight paintings by Vincent van Gogh (1853-1890), copied byte for byte."""

from pathlib import Path

import gcompris

PAINTINGS = {
    "cafe_terrace_at_night": ("Café Terrace at Night, 1888", "Gogh4"),
    "church_at_auvers": ("The Church at Auvers, 1890", "Eglise_dAuvers-sur-Oise"),
    "harvest": ("The Harvest, 1888", "VincentVanGogh0019"),
    "langlois_bridge": ("The Langlois Bridge at Arles, 1888", "VincentVanGoghBridge"),
    "night_cafe": ("The Night Café, 1888", "Van_Gogh_The_Night_Cafe"),
    "painter_on_the_road": ("The Painter on the Road to Tarascon, 1888", "VincentVanGogh0013"),
    "pere_tanguy": ("Portrait of Père Tanguy, 1887", "PortraitOfPereTanguy"),
    "vestibule_of_the_asylum": ("Vestibule of the Asylum, 1889", "VincentVanGogh0012"),
}


def build(packages_folder: Path, target: Path) -> list[dict[str, str]]:
    """Write paintings/*.webp under `target`; returns the rows of the credits."""
    folder = target / "paintings"
    folder.mkdir(parents=True, exist_ok=True)
    credits = []
    for name, (title, stem) in PAINTINGS.items():
        path = f"resource/image/{stem}_background.webp"
        licence = gcompris.credits("details", packages_folder)[path]["licence"]
        (folder / f"{name}.webp").write_bytes(gcompris.resources("details", packages_folder)[path])
        credits.append(
            {
                "file": f"paintings/{name}.webp",
                "title": title,
                "author": "Vincent van Gogh",
                "source": "gcompris-qt-data, activity details",
                "licence": licence,
                "changes": "",
            }
        )
    return credits
