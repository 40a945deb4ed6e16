"""Ordinary words by language, the simplest first, and texts of a given number of them.

The words of a text are separated by single spaces in every language, so that "to the word" has one meaning. A text of
n words is the beginning of the text of n + 1 words, so that a longer one asks for everything that a shorter one does.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

WORDS: Mapping[str, tuple[str, ...]] = {
    name: tuple(words.split())
    for name, words in {
        "en": "the house is old and a dog sleeps near our garden while we read about rivers mountains history weather "
        "because every summer children play with water under green trees until evening brings quiet music",
        "de": "das Haus ist alt und ein Hund schläft im Garten während wir über Flüsse Berge Geschichte Wetter lesen "
        "weil jeden Sommer Kinder unter grünen Bäumen spielen bis abends leise Musik für Größere beginnt",
        "fr": "la maison est vieille et un chien dort près du jardin pendant que nous lisons sur les fleuves "
        "montagnes histoire météo parce que chaque été enfants jouent sous des arbres jusqu'au soir où naît musique",
        "es": "la casa es vieja y un perro duerme cerca del jardín mientras leemos sobre ríos montañas historia clima "
        "porque cada verano los niños juegan bajo árboles verdes hasta que llega música tranquila mañana",
        "ru": "дом старый и собака спит в саду пока мы читаем про реки горы историю погоду потому что каждое лето дети "
        "играют под зелёными деревьями до вечера когда тихо звучит музыка",
        "el": "το σπίτι είναι παλιό και ένας σκύλος κοιμάται στον κήπο ενώ διαβάζουμε ποτάμια βουνά ιστορία καιρό "
        "γιατί κάθε καλοκαίρι τα παιδιά παίζουν κάτω από δέντρα ως το βράδυ",
        "ar": "البيت قديم و كلب ينام قرب حديقة بينما نحن نقرأ عن أنهار جبال تاريخ طقس لأن كل صيف يلعب أطفال تحت أشجار "
        "خضراء حتى مساء هادئ مع موسيقى",
        "hi": "घर पुराना है और एक कुत्ता बगीचे में सोता जब हम नदियों पहाड़ों इतिहास मौसम के बारे पढ़ते क्योंकि हर गर्मी बच्चे "
        "पेड़ों नीचे खेलते शाम तक संगीत बजता",
        "zh": "房子 很 旧 和 一 只 狗 睡 在 花园 我们 读 关于 河流 山 历史 天气 因为 每 夏天 孩子 玩 水 绿 树 下 "
        "直到 晚上 音乐 安静",
        "ja": "家 は 古い と 犬 が 庭 で 眠る 私たち 川 山 歴史 天気 を 読む なぜなら 毎年 夏 子供 "
        "木 の 下 遊ぶ 夜 まで 静か な 音楽 です",
        "ko": "집 은 오래된 그리고 개 가 정원 에서 잔다 우리 는 강 산 역사 날씨 를 읽는다 왜냐하면 "
        "매년 여름 아이들 나무 아래 논다 저녁 까지 음악",
        "code": "x = 1 ; def f(x): return x + 2 for i in range(10): print(i) if x > 3: y = [1, 2] while not done: "
        "class A: pass import os # note a[i] != b[j] f(a, b) lambda x: x*x \"text\" 'c' && || -> :: <div> </div> \\n",
        "numbers": "1 2 10 0 -3 42 3.14 1000 7% 1/2 2026-01-31 12:30 1e6 -0.5 99,99 0x1F 1_000 +49 007 1999 65536",
        "emoji": "🙂 👍 🌍 🚀 🔥 🎉 👩‍💻 🏳️‍🌈 ❤️ 🇩🇪 🤖 🐕 🌳 🎵 ☀️ 👨‍👩‍👧 ✅ ⚠️ 💡 📚",
    }.items()
}
"""Kind of text -> its words; those with a language's code are of that language."""


def text(words: int, kind: str, texture: int = 0) -> str:
    """So many words of a kind; texture 0 repeats them in their order, each other one has an order of its own."""
    known = WORDS[kind]
    if texture == 0:
        return " ".join(known[number % len(known)] for number in range(words))
    return " ".join(random.Random(f"{kind} {texture}").choices(known, k=words))  # noqa: S311  # no secret
