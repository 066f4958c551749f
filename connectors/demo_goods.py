"""What the demo shop sells: 500 SKUs with English and Chinese names, in ten categories.

A SKU is a variant of an item; a category has its season. The numbers are made up, and plausible.
"""

from typing import NamedTuple

BARCODE_PREFIX = "200"
"""GS1 keeps 200 to 299 for numbers that are used inside one shop."""


class Goods(NamedTuple):
    """`price_cents` is without promotion; `popularity` weighs it against the others."""

    code: str
    name: str
    category: str
    barcode: str
    price_cents: int
    popularity: float


class Category(NamedTuple):
    """`peak_day` is the day of the year it sells best, `swing` by how much (0: all the same).
    Items are English, Chinese and the price in cents of the plainest variant."""

    letters: str
    name: str
    peak_day: int
    swing: float
    items: tuple[tuple[str, str, int], ...]


CATEGORIES = (
    Category(
        "KIT",
        "Kitchen 厨房",
        340,
        0.3,
        (
            ("Chopping Board", "砧板", 1450),
            ("Mixing Bowl", "搅拌碗", 1290),
            ("Storage Jar", "储物罐", 890),
            ("Tea Towel", "茶巾", 650),
            ("Salad Servers", "沙拉勺", 1150),
            ("Measuring Cups", "量杯", 990),
            ("Colander", "沥水篮", 1690),
            ("Oven Glove", "烤箱手套", 1090),
            ("Spice Rack", "调料架", 2290),
            ("Butter Dish", "黄油盒", 1390),
        ),
    ),
    Category(
        "TEA",
        "Tea and coffee 茶与咖啡",
        350,
        0.4,
        (
            ("Teapot", "茶壶", 2890),
            ("Tea Bowl", "茶碗", 990),
            ("Gaiwan", "盖碗", 1890),
            ("Coffee Mug", "咖啡杯", 1190),
            ("Pour-over Cone", "手冲滤杯", 1750),
            ("Tea Caddy", "茶叶罐", 1350),
            ("Milk Jug", "奶壶", 1090),
            ("Sugar Bowl", "糖罐", 1050),
            ("Thermos Flask", "保温瓶", 2690),
            ("Tea Tray", "茶盘", 3290),
        ),
    ),
    Category(
        "LMP",
        "Lighting 灯具",
        355,
        0.5,
        (
            ("Table Lamp", "台灯", 4590),
            ("Pendant Shade", "吊灯罩", 3890),
            ("String Lights", "串灯", 1590),
            ("Lantern", "灯笼", 2190),
            ("Night Light", "夜灯", 1390),
            ("Reading Lamp", "阅读灯", 3690),
            ("Candle Holder", "烛台", 990),
            ("Scented Candle", "香薰蜡烛", 1690),
            ("Tealight Set", "茶蜡组", 790),
            ("Floor Lamp", "落地灯", 8990),
        ),
    ),
    Category(
        "GDN",
        "Garden 园艺",
        150,
        0.8,
        (
            ("Watering Can", "浇水壶", 1990),
            ("Plant Pot", "花盆", 1190),
            ("Hand Trowel", "手铲", 990),
            ("Garden Gloves", "园艺手套", 850),
            ("Bird Feeder", "喂鸟器", 1790),
            ("Hanging Basket", "吊篮", 1490),
            ("Seed Tray", "育苗盘", 690),
            ("Picnic Rug", "野餐垫", 2990),
            ("Windmill", "风车", 790),
            ("Solar Light", "太阳能灯", 1290),
        ),
    ),
    Category(
        "TOY",
        "Toys 玩具",
        348,
        0.9,
        (
            ("Wooden Train", "木制火车", 2490),
            ("Building Blocks", "积木", 2190),
            ("Plush Panda", "毛绒熊猫", 1790),
            ("Jigsaw Puzzle", "拼图", 1590),
            ("Kite", "风筝", 1390),
            ("Spinning Top", "陀螺", 690),
            ("Memory Game", "记忆棋", 1290),
            ("Doll House", "娃娃屋", 5990),
            ("Skipping Rope", "跳绳", 590),
            ("Finger Puppets", "手指偶", 890),
        ),
    ),
    Category(
        "STN",
        "Stationery 文具",
        245,
        0.6,
        (
            ("Notebook", "笔记本", 790),
            ("Fountain Pen", "钢笔", 2990),
            ("Pencil Case", "笔袋", 1090),
            ("Desk Calendar", "台历", 1190),
            ("Wrapping Paper", "包装纸", 450),
            ("Greeting Card", "贺卡", 295),
            ("Ink Stone", "砚台", 3490),
            ("Brush Set", "毛笔套装", 1890),
            ("Paper Clips", "回形针", 350),
            ("Letter Tray", "文件盘", 1690),
        ),
    ),
    Category(
        "BTH",
        "Bath 浴室",
        20,
        0.2,
        (
            ("Bath Towel", "浴巾", 1990),
            ("Hand Towel", "毛巾", 990),
            ("Soap Dish", "皂盒", 790),
            ("Hand Soap", "洗手皂", 590),
            ("Bath Mat", "浴室地垫", 2290),
            ("Toothbrush Mug", "漱口杯", 890),
            ("Laundry Basket", "洗衣篮", 3490),
            ("Shower Curtain", "浴帘", 2690),
            ("Wash Bag", "洗漱包", 1590),
            ("Bath Salts", "浴盐", 1190),
        ),
    ),
    Category(
        "BED",
        "Bedroom 卧室",
        10,
        0.4,
        (
            ("Cushion Cover", "靠垫套", 1390),
            ("Throw Blanket", "盖毯", 3990),
            ("Pillow Case", "枕套", 1490),
            ("Duvet Cover", "被套", 5990),
            ("Hot Water Bottle", "热水袋", 1290),
            ("Alarm Clock", "闹钟", 2190),
            ("Jewellery Box", "首饰盒", 2890),
            ("Clothes Hanger", "衣架", 490),
            ("Slippers", "拖鞋", 1790),
            ("Eye Mask", "眼罩", 890),
        ),
    ),
    Category(
        "BAG",
        "Bags 包袋",
        180,
        0.4,
        (
            ("Tote Bag", "托特包", 1690),
            ("Rucksack", "双肩包", 4990),
            ("Lunch Bag", "午餐包", 1290),
            ("Purse", "零钱包", 1190),
            ("Shopping Bag", "购物袋", 690),
            ("Travel Pouch", "旅行收纳袋", 1390),
            ("Umbrella", "雨伞", 2190),
            ("Luggage Tag", "行李牌", 590),
            ("Passport Cover", "护照夹", 990),
            ("Belt Bag", "腰包", 2490),
        ),
    ),
    Category(
        "FST",
        "Festive 节庆",
        342,
        1.6,
        (
            ("Tree Bauble", "圣诞球", 495),
            ("Paper Star", "纸星", 790),
            ("Advent Calendar", "倒数日历", 2490),
            ("Red Lantern", "红灯笼", 1290),
            ("Lucky Envelope", "红包", 250),
            ("Door Wreath", "门环花", 2990),
            ("Snow Globe", "水晶球", 1890),
            ("Gift Box", "礼盒", 690),
            ("Party Bunting", "彩旗", 890),
            ("Mooncake Tin", "月饼盒", 1590),
        ),
    ),
)
VARIANTS = (
    ("WH", "White", "白色", 1.00),
    ("BL", "Blue", "蓝色", 1.00),
    ("RD", "Red", "红色", 1.05),
    ("GN", "Jade Green", "翠绿", 1.10),
    ("LX", "Gift Edition", "礼品版", 1.40),
)
POPULARITY_DECAY = 0.82
"""The n-th best variant or item sells this much less than the one before."""


def all_goods() -> list[Goods]:
    return [
        goods(category, place, variant)
        for category in CATEGORIES
        for place in range(len(category.items))
        for variant in range(len(VARIANTS))
    ]


def goods(category: Category, place: int, variant: int) -> Goods:
    english, chinese, price = category.items[place]
    letters, colour, colour_chinese, factor = VARIANTS[variant]
    number = CATEGORIES.index(category) * 100 + place * 10 + variant
    return Goods(
        f"{category.letters}{place:02d}-{letters}",
        f"{english} {colour} {colour_chinese}{chinese}",
        category.name,
        with_check_digit(f"{BARCODE_PREFIX}{number:09d}"),
        round(price * factor / 5) * 5,
        POPULARITY_DECAY ** (place + variant),
    )


def with_check_digit(twelve: str) -> str:
    """EAN-13: weights 1 and 3 in turn, filled up to a multiple of ten."""
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(twelve))
    return f"{twelve}{-total % 10}"
