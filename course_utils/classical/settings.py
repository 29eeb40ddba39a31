"""What the classical restorers leave to choose, chosen by PSNR on the validation photographs.

`python benchmarks/12_classical.py` tried the values that its json lists; a test compares.
"""

SETTINGS: dict[str, dict[str, dict]] = {
    "denoise_15": {
        "mean": {"size": 3},
        "Gaussian": {"width": 0.6},
        "median": {"size": 3},
        "wavelet": {"wavelet": "db2", "method": "BayesShrink", "share": 1.0, "shifts": 2},
        "NL means": {"patch_size": 3, "patch_distance": 5, "strength": 0.6},
    },
    "denoise_25": {
        "mean": {"size": 3},
        "Gaussian": {"width": 0.8},
        "median": {"size": 3},
        "wavelet": {"wavelet": "haar", "method": "BayesShrink", "share": 1.0, "shifts": 2},
        "NL means": {"patch_size": 3, "patch_distance": 5, "strength": 0.5},
    },
    "denoise_50": {
        "mean": {"size": 5},
        "Gaussian": {"width": 1.4},
        "median": {"size": 7},
        "wavelet": {"wavelet": "haar", "method": "BayesShrink", "share": 1.0, "shifts": 2},
        "NL means": {"patch_size": 5, "patch_distance": 8, "strength": 0.4},
    },
    "deblur_gaussian": {
        "Wiener": {"balance": 0.006},
        "Richardson-Lucy": {"iterations": 60},
    },
    "deblur_motion": {
        "Wiener": {"balance": 0.008},
        "Richardson-Lucy": {"iterations": 40},
    },
    "deblur_defocus": {
        "Wiener": {"balance": 0.01},
        "Richardson-Lucy": {"iterations": 40},
    },
}
