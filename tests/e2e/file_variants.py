"""Real files of the allowed types as programs, scanners, printers and phones write them, and what
people send by mistake."""
import os
import struct
import subprocess


def run(*command, **options):
    return subprocess.run([str(part) for part in command], check=True, capture_output=True,
                          **options).stdout


class Variants:
    """`good`: name to bytes; readers open these. `bad`: name to (bytes, German, English word)."""

    def __init__(self, folder):
        folder.mkdir()
        self.folder = folder
        self.png = self._made("base.png", "convert", "-size", "300x200", "plasma:red-blue")
        self.jpeg = self._made("base.jpg", "convert", folder / "base.png", "-quality", "85")
        self.pdf = self._pdf()
        self.good = {**self._pdfs(), **self._jpegs(), **self._pngs()}
        self.bad = self._bad()

    def _made(self, name, *command):
        run(*command, self.folder / name)
        return (self.folder / name).read_bytes()

    def _pdf(self):
        target = self.folder / "base.pdf"
        run("gs", "-q", "-dNOPAUSE", "-dBATCH", "-sDEVICE=pdfwrite", f"-sOutputFile={target}", "-c",
            "/Helvetica findfont 20 scalefont setfont 50 50 moveto (Plan) show showpage")
        return target.read_bytes()

    def _by_qpdf(self, *options):
        target = self.folder / "by-qpdf.pdf"
        run("qpdf", *options, self.folder / "base.pdf", target)
        return target.read_bytes()

    def _pdfs(self):
        pjl = b'\x1b%-12345X@PJL JOB NAME="Plan"\r\n@PJL SET RESOLUTION=600\r\n@PJL ENTER LANGUAGE=PDF\r\n'
        return {
            "linear.pdf": self._by_qpdf("--linearize"),
            "encrypted.pdf": self._by_qpdf("--encrypt", "a", "b", "256", "--"),
            "version 2.pdf": self._by_qpdf("--min-version=2.0", "--force-version=2.0"),
            "byte order mark.pdf": b"\xef\xbb\xbf" + self.pdf,
            "line break.pdf": b"\r\n" + self.pdf,
            "printer.pdf": pjl + self.pdf + b"\x1b%-12345X@PJL EOJ\r\n\x1b%-12345X",
            "macbinary.pdf": bytes(700) + self.pdf,
            "1024 before.pdf": bytes(1_024) + self.pdf,
            "postscript.pdf": b"%!PS-Adobe-3.0 PDF-1.4\n" + self.pdf[9:],
            "UPPER.PDF": self.pdf}

    def _jpegs(self):
        plain, after = self.jpeg, 4 + struct.unpack(">H", self.jpeg[4:6])[0]
        turned = lambda *options: run("cjpeg", *options,
                                      input=run("djpeg", self.folder / "base.jpg"))
        return {
            "progressive.jpg": turned("-quality", "80", "-progressive"),
            "grey.jpg": turned("-grayscale"),
            "without application marker.jpg": plain[:2] + plain[after:],
            "fill bytes.jpg": plain[:2] + b"\xff\xff" + plain[2:],
            "comment.jpg": plain[:2] + b"\xff\xfe\x00\x07%PDF-" + plain[2:],
            "two pictures.jpg": plain + plain,
            "a.jpeg": plain, "b.jpe": plain, "c.jfif": plain, "D.JPG": plain, "E.JPEG": plain}

    def _pngs(self):
        return {"interlaced.png": self._made("i.png", "convert", self.folder / "base.png",
                                             "-interlace", "PNG"),
                "16 bits.png": self._made("d.png", "convert", self.folder / "base.png", "-depth", "16"),
                "trailer.png": self.png + b"of a screenshot" * 1_000, "F.PNG": self.png}

    def _bad(self):
        tiff = self._made("t.tif", "convert", self.folder / "base.png")
        gif = self._made("g.gif", "convert", self.folder / "base.png")
        heic = struct.pack(">I", 24) + b"ftypheic" + bytes(12) + os.urandom(500)
        archive = b"PK\x03\x04\x14\0\0\0" + os.urandom(500)
        return {
            "leer.pdf": (b"", "leer (0 Bytes)", "empty (0 bytes)"),
            "platzhalter.pdf": (bytes(50_000), "nur Nullen", "nothing but zeros"),
            "IMG_0815.HEIC": (heic, "HEIC", "HEIC"),
            "umbenannt.jpg": (heic, "HEIC", "HEIC"),
            "plan.dwg": (b"AC1032" + os.urandom(500), "CAD", "CAD"),
            "plan.dxf": (b"  0\nSECTION\n", "CAD", "CAD"),
            "alles.zip": (archive, "Archiv", "archive"),
            "alles.pdf": (archive, "Archiv", "archive"),
            "antrag.docx": (archive, "als PDF (Datei", "as PDF (File"),
            "antrag.doc": (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(100), "als PDF (Datei", "as PDF (File"),
            "notiz.txt": (b"Guten Tag", "als PDF (Datei", "as PDF (File"),
            "scan.tif": (tiff, "Bildformat", "image format"),
            "scan.jpg": (tiff, "Bildformat", "image format"),
            "bild.gif": (gif, "Bildformat", "image format"),
            "plan.lnk": (b"L\0\0\0", "Verknüpfung", "shortcut"),
            "bild.pdf": (self.jpeg, "auf .jpg endet", "ends with .jpg"),
            "plan.jpg": (self.pdf, "auf .pdf endet", "ends with .pdf"),
            "ohne-endung": (self.pdf, "auf .pdf endet", "ends with .pdf"),
            "bild.pjpeg": (self.jpeg, "auf .jpg endet", "ends with .jpg"),
            "zeile davor.jpg": (b"\n" + self.jpeg, "Dateityp", "file type")}
