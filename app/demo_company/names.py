"""Names of people, by where families come from; a fifth of the people mix two lists, as families do."""

NAMES: tuple[tuple[str, str], ...] = (
    (
        "Amelia Oliver Charlotte Henry Grace Samuel Eleanor Thomas Ruby Edward Hannah George Lucy Daniel Martha Simon",
        "Ashworth Bennett Carver Dalton Ellison Fairfax Hartley Kingsley Lockwood Marlow Prescott Radley Sutton Whitaker",
    ),
    (
        "Sofía Mateo Valentina Diego Camila Javier Lucía Andrés Elena Rafael Paula Tomás Carmen Álvaro Marina Iván",
        "Aguilar Benítez Castaño Delgado Escobar Fuentes Herrera Ibáñez Lozano Méndez Navarro Quintero Salazar Vidal",
    ),
    (
        "Priya Arjun Ananya Rohan Kavya Vikram Meera Aditya Divya Nikhil Sneha Rahul Isha Karan Lakshmi Sanjay",
        "Agarwal Banerjee Chopra Desai Gupta Iyer Joshi Kulkarni Menon Nair Patel Rao Sharma Venkatesan",
    ),
    (
        "Mei Wei Xiu Jun Lan Hao Ying Bo Fang Chen Li-Na Jian Yue Feng Qing Tao",
        "Bai Cao Deng Fang Guo Huang Jiang Liang Luo Shen Tang Wu Xie Zhou",
    ),
    (
        "Aiko Haruto Yuki Ren Sakura Kenji Hana Daiki Minjun Seoyeon Jiho Yuna Emi Takumi Naoko Sora",
        "Fujimoto Hayashi Ishikawa Kobayashi Matsuda Nakamura Okada Sato Tanaka Watanabe Kim Park Choi Jung",
    ),
    (
        "Amara Chidi Ngozi Kwame Adaeze Tunde Zuri Jabari Folake Kofi Nia Emeka Wanjiru Thabo Abena Sipho",
        "Abiola Boateng Chukwu Dlamini Eze Kamau Mensah Ndlovu Obi Okafor Onyango Owusu Sithole Tadesse",
    ),
    (
        "Layla Omar Yasmin Karim Nour Hassan Samira Tariq Leila Yusuf Dalia Ibrahim Rania Bilal Salma Navid",
        "Abbas Darwish Farouk Haddad Jaber Khalil Mansour Nasser Rahimi Saleh Shirazi Tahan Youssef Zaman",
    ),
    (
        "Zofia Jakub Katarzyna Marek Oksana Andriy Milena Luka Petra Tomáš Irina Pavel Daria Bogdan Ivana Łukasz",
        "Bielski Dvořák Horvat Jankowski Kovač Kravchenko Lewandowski Marković Novák Petrenko Sokolov Wójcik Zelenko Zieliński",
    ),
    (
        "Freja Lars Astrid Erik Ingrid Nils Sigrid Mikkel Elin Oskar Maja Jonas Saga Aino Eero Linnea",
        "Andersen Bergström Dahl Eklund Fjeld Hagen Johansson Koskinen Lindqvist Nyström Rasmussen Solberg Virtanen Østby",
    ),
    (
        "Clara Lukas Johanna Felix Greta Matthias Camille Antoine Margaux Julien Chiara Matteo Giulia Lorenzo Femke Daan",
        "Bauer Conti Dubois Esposito Fontaine Hoffmann Keller Lambert Moretti Ricci Rousseau Schneider Vermeulen Weiß",
    ),
    (
        "Isabela Thiago Beatriz Caio Mariana Rui Inês Duarte Larissa Bruno Renata Gustavo Tainá Otávio Lívia Davi",
        "Almeida Barbosa Cardoso Duarte Ferreira Gonçalves Machado Moreira Pereira Queiroz Ribeiro Silveira Teixeira Vieira",
    ),
    (
        "Leilani Keanu Aroha Tane Malia Nikau Linh Minh Thảo Quân Putri Bayu Siti Rizal Maria-Luz Jomar",
        "Kealoha Tamihana Ngata Faleolo Nguyễn Trần Lê Phạm Wijaya Santoso Ismail Rahman Reyes Villanueva",
    ),
)
