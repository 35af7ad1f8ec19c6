"""Makes real building plans: JPEG and PNG photographs by ImageMagick, a PDF by Ghostscript."""
import os
import pathlib
import subprocess

MB = 1_000_000


def run(*command):
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)


def scene(folder, width, height, number):
    """Raw RGB pixels with the grain of a camera, so that no codec can shrink them to nothing."""
    raw = folder / "grain.rgb"
    tile = 1 << 20
    with open(raw, "wb") as out:
        left = width * height * 3
        while left > 0:
            out.write(os.urandom(min(tile, left)))
            left -= tile
    return ["-size", f"{width}x{height}", "-depth", "8", f"rgb:{raw}",
            "-fill", f"hsl({number * 37 % 360},60%,55%)", "-colorize", "35"]


def image(folder, name, number, width=7_200, height=5_400):
    target = folder / name
    depth = ["-quality", "95"] if name.endswith(".jpg") else ["-define", "png:compression-level=1"]
    run("convert", *scene(folder, width, height, number), *depth, target)
    (folder / "grain.rgb").unlink()
    return target


PLAN_PAGE = """
<< /PageSize [2384 3370] >> setpagedevice            % A0, portrait
/Helvetica-Bold findfont 48 scalefont setfont
120 3200 moveto (Wohnhaus Gartenweg 7 - Grundriss {page}) show
1.5 setlinewidth
0 1 {lines} {{ /i exch def                           % walls, windows, dimension lines
    newpath 120 i 11 mul 90 mod add 140 i 37 mul 2900 mod add moveto
    i 53 mul 2100 mod 120 add i 29 mul 2900 mod 140 add lineto stroke
    newpath i 71 mul 2100 mod 120 add i 43 mul 2900 mod 140 add i 7 mod 6 add 0 300 arc stroke
}} for
/Helvetica findfont 14 scalefont setfont
0 1 400 {{ /i exch def i 97 mul 2100 mod 120 add i 61 mul 2900 mod 140 add moveto
    i 10 string cvs show ( cm) show }} for
showpage
"""

PHOTO_PAGE = """
<< /PageSize [{width} {height}] >> setpagedevice
gsave {width} {height} scale /DeviceRGB setcolorspace
<< /ImageType 1 /Width {width} /Height {height} /BitsPerComponent 8 /Decode [0 1 0 1 0 1]
   /ImageMatrix [{width} 0 0 -{height} 0 {height}]
   /DataSource ({file}) (r) file /DCTDecode filter >> image grestore showpage
"""


def plan(folder, name, photographs, width=7_200, height=5_400):
    """A PDF of vector drawings with scanned sheets between them."""
    script = folder / "plan.ps"
    with open(script, "w") as out:
        for page, photograph in enumerate(photographs, 1):
            out.write(PLAN_PAGE.format(page=page, lines=4_000))
            out.write(PHOTO_PAGE.format(width=width, height=height, file=photograph))
    run("gs", "-q", "-dBATCH", "-dNOPAUSE", "-dSAFER", f"--permit-file-read={folder}/",
        "-sDEVICE=pdfwrite", "-dPassThroughJPEGImages=true", f"-sOutputFile={folder / name}", script)
    script.unlink()
    return folder / name


def make(folder, bytes_min):
    """Files of at least `bytes_min` together; what an earlier run made is taken again."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    files = sorted(file for file in folder.iterdir() if file.suffix in (".pdf", ".jpg", ".png"))
    if files and sum(file.stat().st_size for file in files) >= bytes_min:
        return files
    for file in folder.iterdir():
        file.unlink()
    files, number = [], 0
    sheets = [image(folder, f"Blatt {number:02}.jpg", number) for number in (1, 2, 3)]
    files.append(plan(folder, "Bauplan Gartenweg 7.pdf", sheets))
    files += sheets
    while sum(file.stat().st_size for file in files) < bytes_min:
        number += 1
        name = f"Ansicht {number:02}." + ("png" if number % 3 else "jpg")
        files.append(image(folder, name, number + 10))
        total = sum(file.stat().st_size for file in files)
        print(f"  {total / MB:8.0f} of {bytes_min / MB:.0f} MB", end="\r", flush=True)
    print()
    return files
